// The floors: imports run downward only, never up, never sideways between two rooms of a floor.
// flow < engine < triggers, connectors < hosts/* < cli, server. `limits.ts` lies under them all.

const PURE = "^src/(flow|engine|triggers|connectors)/|^src/limits\\.ts$";

/** What the pure rooms may take from npm: none of these touches disk, clock or network. */
const PURE_PACKAGES = [
  "@dagrejs/dagre",
  "@marcbachmann/cel-js",
  "ajv",
  "ajv-formats",
  "croner",
  "fastest-levenshtein",
  "re2js",
  "typebox",
  "yaml",
];

function no(name, comment, from, to) {
  return { name, comment, severity: "error", from, to };
}

module.exports = {
  forbidden: [
    no(
      "limits-know-nothing",
      "Limits are numbers with reasons.",
      { path: "^src/limits\\.ts$" },
      {},
    ),
    no(
      "flow-is-the-ground",
      "The language knows nothing above it.",
      { path: "^src/flow/" },
      { path: "^src/", pathNot: "^src/(flow/|limits\\.ts$)" },
    ),
    no(
      "engine-above-flow",
      "The life of a run knows the language, and nothing above.",
      { path: "^src/engine/" },
      { path: "^src/", pathNot: "^src/(flow/|engine/|limits\\.ts$)" },
    ),
    no(
      "floor-3-up-or-sideways",
      "Triggers and connectors know the engine and the language, not each other.",
      { path: "^src/(triggers|connectors)/" },
      { path: "^src/", pathNot: "^src/(flow/|engine/|$1/|limits\\.ts$)" },
    ),
    no(
      "hosts-below-doors",
      "A host drives the engine; doors come to it, not it to them.",
      { path: "^src/hosts/" },
      { path: "^src/", pathNot: "^src/(flow|engine|triggers|connectors|hosts)/|^src/limits\\.ts$" },
    ),
    no(
      "hosts-apart",
      "One host knows nothing of another.",
      { path: "^src/hosts/([^/]+)/" },
      { path: "^src/hosts/[^/]+/", pathNot: "^src/hosts/$1/" },
    ),
    no(
      "server-beside-cli",
      "The server is a door; it does not know the other door.",
      { path: "^src/server/" },
      { path: "^src/(cli/|index\\.ts$)" },
    ),
    no(
      "server-knows-the-runner",
      "The server gets a host as an argument, and works with any.",
      { path: "^src/server/" },
      { path: "^src/hosts/" },
    ),
    no(
      "cli-starts-the-server",
      "The command may start the server, by its public face only.",
      { path: "^src/cli/" },
      { path: "^src/(server/|index\\.ts$)", pathNot: "^src/server/server\\.ts$" },
    ),
    no(
      "cli-opens-a-host",
      "The command opens a host by its public face, and knows nothing of its inside.",
      { path: "^src/cli/" },
      { path: "^src/hosts/", pathNot: "^src/hosts/[^/]+/index\\.ts$" },
    ),
    no("no-cycle", "A circle of files has no bottom floor.", {}, { circular: true }),
    no(
      "pure-packages",
      "The pure rooms use packages that touch neither disk, clock nor network.",
      { path: PURE },
      {
        dependencyTypes: [
          "npm",
          "npm-dev",
          "npm-optional",
          "npm-peer",
          "npm-no-pkg",
          "npm-unknown",
        ],
        pathNot: `node_modules/(${PURE_PACKAGES.join("|")})/`,
      },
    ),
    no(
      "pure-of-node",
      "The pure rooms know nothing of Node.",
      { path: PURE },
      { dependencyTypes: ["core"] },
    ),
    no(
      "no-test-in-src",
      "What users run does not lean on tests or on tools for development.",
      { path: "^src/" },
      { path: "^(test|dist)/" },
    ),
    no(
      "no-dev-package",
      "What users run needs only what they install.",
      { path: "^src/" },
      { dependencyTypes: ["npm-dev"], dependencyTypesNot: ["type-only"] },
    ),
    no("resolvable", "Each import leads somewhere.", {}, { couldNotResolve: true }),
  ],
  options: {
    doNotFollow: { path: "node_modules|^dist/" },
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "default", "types"],
      mainFields: ["module", "main", "types"],
    },
  },
};
