// SPDX-License-Identifier: Apache-2.0
// import - a table (CSV) is taken over: read from a file or typed, shown as the node would take it, then written.
import { useState } from "preact/hooks";
import { ask, newKey } from "../api/client";
import type { Imported } from "../api/types";
import { navigate } from "../state/router";
import { Button } from "./controls";
import { preview } from "./dialog";
import * as f from "./format";
import { toast } from "./toast";
import { Panel } from "./view";

const MOST_BYTES = 8 * 1024 * 1024;
const PATIENCE_MS = 35_000; // imports have thirty seconds at the node

/** "3 rows: 1 new, 1 changed, 1 wrong" */
export function tally(of: Imported): string {
  const parts = [
    of.new ? `${f.count(of.new)} new` : "",
    of.changed ? `${f.count(of.changed)} changed` : "",
    of.same ? `${f.count(of.same)} as before` : "",
    of.wrong ? `${f.count(of.wrong)} wrong` : "",
  ].filter(Boolean);
  return `${f.plural(of.rows, "row")}: ${parts.join(", ") || "nothing"}`;
}

function Wrong({ of }: { of: Imported }) {
  if (of.errors.length === 0) return null;
  return (
    <div class="table-scroll changes" tabIndex={0} role="region" aria-label="Lines that are wrong">
      <table>
        <caption class="hidden">Lines that are wrong</caption>
        <thead>
          <tr>
            <th scope="col" class="right">
              Line
            </th>
            <th scope="col">What is wrong</th>
          </tr>
        </thead>
        <tbody>
          {of.errors.map((e) => (
            <tr key={`${e.line} ${e.why}`}>
              <td class="right num">{e.line}</td>
              <td>{e.why}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

type Op = "POST /customers/import" | "POST /appointments/import";

async function take(op: Op, what: string, body: string, after: string): Promise<void> {
  const once = newKey();
  let done: Imported | null = null;
  const written = await preview({
    title: `Import ${what}?`,
    verb: `Import ${what}`,
    load: async (signal) => {
      const { data } = await ask(op, { query: { dry_run: true }, body, signal, timeoutMs: PATIENCE_MS });
      const takes = data.new + data.changed;
      return {
        nothing: takes === 0,
        summary: takes === 0 ? `${tally(data)}. There is nothing to write.` : `${tally(data)}. It cannot be taken back; rows can be imported again with other values.`,
        warnings: data.wrong ? [`${f.plural(data.wrong, "line")} will be left out; the others are taken.`] : [],
        changes: [
          { what: "New", before: "not there", after: f.count(data.new) },
          { what: "Changed", before: "as they are", after: f.count(data.changed) },
        ].filter((c) => c.after !== "0"),
        more: <Wrong of={data} />,
      };
    },
    commit: async () => {
      done = (await ask(op, { query: {}, body, once, timeoutMs: PATIENCE_MS })).data;
    },
  });
  if (!written || !done) return;
  toast.say(`${tally(done)}.`);
  navigate(after);
}

export function ImportPanel(o: { op: Op; what: string; example: string; columns: string; after: string }) {
  const [text, setText] = useState("");
  const tooLarge = text.length > MOST_BYTES;
  const read = async (file: File | undefined) => file && setText(await file.text());
  return (
    <Panel title={`Import ${o.what} from a table`}>
      <form class="import" onSubmit={(e) => e.preventDefault()}>
        <p class="about">
          CSV with a first line of names: {o.columns}. The same row again changes nothing.
        </p>
        <label class="field">
          <span>From a file</span>
          <input type="file" accept=".csv,text/csv" onChange={(e) => void read(e.currentTarget.files?.[0]).catch(toast.problem)} />
        </label>
        <label class="field">
          <span>or as text</span>
          <textarea rows={8} spellcheck={false} value={text} placeholder={o.example} onInput={(e) => setText(e.currentTarget.value)} />
        </label>
        {tooLarge ? <p class="warning">This is more than 8 MiB: import it in parts.</p> : null}
        <div>
          <Button kind="primary" disabled={text.trim() === "" || tooLarge} onClick={() => take(o.op, o.what, text, o.after)}>
            See what would be written…
          </Button>
        </div>
      </form>
    </Panel>
  );
}
