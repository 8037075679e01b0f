// Rows as a table, for people and for the README.

/** A row as `row` of measure.mjs makes it. */
export function table(rows) {
  const head = ["figure", "measured", "floor", "", "ratio", "target", "result"];
  const cells = rows.map((row) => [
    row.figure,
    `${number(row.measured)} ${row.unit}`.trimEnd(),
    row.floor.name,
    row.floor.name === "" ? "" : number(row.floor.value),
    row.ratio === null ? "" : row.ratio.toFixed(2),
    row.target ?? "",
    row.result ?? "",
  ]);
  const width = head.map((_, i) => Math.max(...[head, ...cells].map((line) => line[i].length)));
  const isNumeric = (i) => i === 1 || i === 3 || i === 4;
  return [head, ...cells]
    .map((line) =>
      line
        .map((text, i) => (isNumeric(i) ? text.padStart(width[i]) : text.padEnd(width[i])))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function number(value) {
  return value >= 100 ? Math.round(value).toLocaleString("en-US") : value.toFixed(2);
}
