// Aligned columns for people: as wide as the widest cell, two spaces apart, no trailing blanks.

import type { Colors } from "./output.js";
import { printable } from "./output.js";

export interface Cell {
  text: string;
  paint?: (text: string) => string;
}

export function table(headers: string[], rows: (string | Cell)[][], colors: Colors): string {
  const head = headers.map((text) => ({ text, paint: colors.dim }));
  const lines = [head, ...rows.map((row) => row.map(toCell))];
  const widths = headers.map((_, column) =>
    Math.max(...lines.map((cells) => cells[column]?.text.length ?? 0)),
  );
  return lines.map((cells) => line(cells, widths)).join("\n");
}

/** `name  value` lines, the names aligned; values that are undefined are left out. */
export function fields(entries: [string, string | Cell | undefined][], colors: Colors): string {
  const present = entries.filter((entry): entry is [string, string | Cell] => {
    return entry[1] !== undefined;
  });
  const width = Math.max(...present.map(([name]) => name.length));
  return present
    .map(([name, value]) => line([{ text: name, paint: colors.dim }, toCell(value)], [width]))
    .join("\n");
}

function toCell(value: string | Cell): Cell {
  const cell = typeof value === "string" ? { text: value } : value;
  return { ...cell, text: printable(cell.text) };
}

function line(cells: Cell[], widths: number[]): string {
  const last = cells.reduce((found, cell, at) => (cell.text === "" ? found : at), 0);
  return cells
    .slice(0, last + 1)
    .map(({ text, paint }, column) => {
      const padding = column === last ? "" : " ".repeat((widths[column] ?? 0) - text.length);
      return (paint ? paint(text) : text) + padding;
    })
    .join("  ");
}
