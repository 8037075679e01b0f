// What is remembered of each trigger from one life of the host to the next.

/** Hosts keep them on disk. A mark that was lost in a crash is only older than it could be. */
export interface Mark {
  /** ISO: all that happened up to then has been dealt with. */
  until: string;
  /** ISO: when the trigger was first seen; what was before is none of its business. */
  since?: string;
  /** The last start, where it was refused: when, and why. */
  refused?: { at: string; message: string };
}

export interface Marks {
  get(key: string): Mark | undefined;
  set(key: string, mark: Mark): void;
  /** Forgets those of this type that are not named: their triggers are gone. */
  keep(type: string, keys: ReadonlySet<string>): void;
}
