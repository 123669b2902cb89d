// SPDX-License-Identifier: Apache-2.0
// runbook - what to do about an alert: the chapter itself where it is ours, a link where it is somebody's address.
import { useEffect, useState } from "preact/hooks";
import { Failed, Loading } from "../../ui/states";
import { Code } from "../../ui/values";
import { anchorOf, chapterOf, piecesOf } from "./chapter";

const isLink = (place: string) => /^https?:\/\//.test(place);

/** Where it stands, in a row. */
export function Place({ at, href }: { at: string; href: string }) {
  if (isLink(at))
    return (
      <a href={at} target="_blank" rel="noreferrer">
        {at}
      </a>
    );
  return anchorOf(at) ? <a href={href}>{at}</a> : <Code>{at}</Code>;
}

/** The text of it. */
export function Runbook({ at }: { at: string }) {
  const anchor = anchorOf(at);
  const [found, setFound] = useState<{ parts?: string[] | null; why?: unknown }>({});
  const [tried, setTried] = useState(0);
  useEffect(() => {
    if (!anchor) return;
    let current = true;
    setFound({});
    import("../../../../../docs/troubleshooting.md?raw").then(
      (m) => current && setFound({ parts: chapterOf(m.default, anchor) }),
      (why: unknown) => current && setFound({ why }),
    );
    return () => void (current = false);
  }, [anchor, tried]);
  if (!anchor || found.parts === null) return <p><Place at={at} href={at} /></p>;
  if (found.why) return <Failed why={found.why} again={() => setTried((n) => n + 1)} />;
  if (!found.parts) return <Loading what="Opening the chapter" />;
  return (
    <div class="chapter">
      {found.parts.map((part) => (
        <p key={part} class={part.startsWith("- ") ? "about" : undefined}>
          {piecesOf(part).map((p, i) => (p.code ? <Code key={i}>{p.text}</Code> : p.text))}
        </p>
      ))}
      <p class="about">
        <Code>{at}</Code>
      </p>
    </div>
  );
}
