// What a Markdown page promises: the commands it names, and the places its links lead to.

export interface Named {
  line: number;
  text: string;
}

/** Command lines: of fenced shell blocks, and code spans that begin like one. */
export function commandLines(markdown: string): Named[] {
  const found: Named[] = [];
  let fence: { shell: boolean } | null = null;
  for (const [index, text] of markdown.split("\n").entries()) {
    const opened = /^\s*```+\s*(\w*)/.exec(text);
    if (opened !== null) {
      fence = fence === null ? { shell: /^(|sh|bash|shell|console)$/.test(opened[1] ?? "") } : null;
    } else if (fence?.shell) {
      found.push(...commandsOf(text).map((command) => ({ line: index + 1, text: command })));
    } else if (fence === null) {
      const spans = [...text.matchAll(/`([^`]+)`/g)].flatMap((span) => commandsOf(span[1] ?? ""));
      found.push(...spans.map((span) => ({ line: index + 1, text: span })));
    }
  }
  return found;
}

/** Links to files of the repository, without those to the outside and those within code. */
export function localLinks(markdown: string): Named[] {
  let fenced = false;
  return markdown.split("\n").flatMap((text, index) => {
    if (/^\s*```/.test(text)) fenced = !fenced;
    if (fenced) return [];
    return [...text.replace(/`[^`]*`/g, "").matchAll(/\]\(([^)\s]+)\)/g)]
      .map((link) => link[1] ?? "")
      .filter((target) => !/^[a-z][a-z+.-]*:/i.test(target))
      .map((target) => ({ line: index + 1, text: target }));
  });
}

/** The names under which headings can be linked to. */
export function anchors(markdown: string): Set<string> {
  const headings = [...markdown.matchAll(/^#{1,6} (.+)$/gm)].map((heading) => heading[1] ?? "");
  return new Set(headings.map(anchorOf));
}

function anchorOf(heading: string): string {
  const words = heading.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, "");
  return words.trim().replace(/\s/g, "-");
}

/** `cd x && npm ci && npm test | cat` holds two commands that are ours to keep. */
function commandsOf(line: string): string[] {
  return line
    .replace(/^\s*\$ /, "")
    .replace(/\s#\s.*$/, "")
    .split(/&&|\|\||[;|]/)
    .map((command) => command.trim().replace(/^(\w+=\S+\s+)+/, ""))
    .map((command) => command.replace(/^(npx (--no )?flows|node dist\/cli\/main\.js)\b/, "flows"))
    .filter((command) => /^(npm|flows) \S/.test(command));
}
