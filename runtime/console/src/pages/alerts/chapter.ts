// SPDX-License-Identifier: Apache-2.0
// chapter - what docs/troubleshooting.md says about one kind of alert, as paragraphs for people: it comes with the
// console, so that nobody has to look for the repository at night. Which tests have seen it is left out.

/** "docs/troubleshooting.md#failed-calls": "failed-calls"; null: it stands elsewhere. */
export const anchorOf = (place: string): string | null => /^docs\/troubleshooting\.md#([\w-]+)$/.exec(place)?.[1] ?? null;

const links = (text: string) => text.replace(/\[([^\]]+)\]\(([^)\s]+)\)/g, (_, name: string, to: string) => (/^[\w-]+\.md/.test(to) ? `docs/${to}` : name));

/** Its paragraphs and points; null: there is no such chapter. */
export function chapterOf(text: string, anchor: string): string[] | null {
  const lines = text.split("\n");
  const first = lines.indexOf("## " + anchor);
  if (first < 0) return null;
  const parts: string[] = [];
  let open = false; // whether a line goes on with the part before
  for (const line of lines.slice(first + 1)) {
    if (line.startsWith("## ")) break;
    if (line.trim() === "") open = false;
    else if (open && !line.startsWith("- ")) parts[parts.length - 1] += " " + line.trim();
    else {
      parts.push(line.trim());
      open = true;
    }
  }
  return parts.filter((p) => !p.startsWith("- Seen in:")).map(links);
}

/** What stands between backticks is for machines. */
export const piecesOf = (part: string): { text: string; code: boolean }[] =>
  part
    .replace(/^- /, "")
    .split("`")
    .map((text, i) => ({ text, code: i % 2 === 1 }))
    .filter((p) => p.text !== "");
