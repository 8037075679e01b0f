// Plain JSON values: what workflows, runs, contexts and outputs are made of.

export type Json = null | boolean | number | string | Json[] | JsonObject;
export type JsonObject = { [key: string]: Json };
