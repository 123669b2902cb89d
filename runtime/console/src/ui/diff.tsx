// SPDX-License-Identifier: Apache-2.0
// diff - what differs between two sets of files: told by signs and by words, not by colour.
import type { AgentsDiff } from "../api/types";
import * as f from "./format";
import { Badge } from "./values";

type File = AgentsDiff["files"][number];

const MOST = 400; // lines of a file that are drawn

function Side({ lines, from, sign }: { lines: string[]; from: number; sign: "−" | "+" }) {
  return (
    <>
      {lines.slice(0, MOST).map((line, i) => (
        <div key={i} class={sign === "+" ? "diff-line in" : "diff-line out"}>
          <span class="diff-at num">{from + i}</span>
          <span class="diff-sign">
            {sign}
            <span class="hidden">{sign === "+" ? " added " : " removed "}</span>
          </span>
          <span class="diff-text">{line}</span>
        </div>
      ))}
      {lines.length > MOST ? <div class="diff-line about">and {f.plural(lines.length - MOST, "more line")}</div> : null}
    </>
  );
}

function FileDiff({ file }: { file: File }) {
  const out = file.removed ?? [];
  const into = file.added ?? [];
  return (
    <section class="diff-file">
      <h3>
        <code class="code">{file.path}</code> <Badge>{file.state}</Badge>{" "}
        <span class="about">
          {f.plural(out.length, "line")} out, {f.plural(into.length, "line")} in
        </span>
      </h3>
      <div class="table-scroll diff" tabIndex={0} role="region" aria-label={`What differs in ${file.path}`}>
        <Side lines={out} from={file.line ?? 1} sign="−" />
        <Side lines={into} from={file.line ?? 1} sign="+" />
      </div>
    </section>
  );
}

export function Diff({ of }: { of: AgentsDiff }) {
  if (of.files.length === 0) return <p class="about">The files are the same.</p>;
  return (
    <div class="diffs">
      {of.files.map((file) => (
        <FileDiff key={file.path} file={file} />
      ))}
    </div>
  );
}
