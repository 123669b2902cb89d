// SPDX-License-Identifier: Apache-2.0
// login - what one sees before one is in.
import { useEffect, useRef, useState } from "preact/hooks";
import { logIn } from "./state/session";
import { Code } from "./ui/values";

export function LogIn({ why, remedy }: { why: string | null; remedy: string | null }) {
  const [text, setText] = useState("");
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    document.title = "Log in · Ringdown";
    field.current?.focus();
  }, []);
  return (
    <main class="login" id="main">
      <form
        onSubmit={(e) => {
          e.preventDefault();
          void logIn(text);
        }}
      >
        <h1>
          <svg width="22" height="22" viewBox="0 0 18 18" aria-hidden="true">
            <circle cx="9" cy="9" r="7" class="jack" />
            <circle cx="9" cy="9" r="2.5" class="lamp" />
          </svg>
          Ringdown
        </h1>
        {why ? (
          <div class="state failed" role="alert">
            <p>{why}</p>
            {remedy ? <p class="remedy">{remedy}</p> : null}
          </div>
        ) : null}
        <label class="field">
          <span>Token</span>
          <input ref={field} type="password" autocomplete="off" spellcheck={false} value={text} placeholder="rd_…" onInput={(e) => setText(e.currentTarget.value)} />
        </label>
        <button type="submit" class="button primary" disabled={text.trim() === ""}>
          Log in
        </button>
        <p class="about">
          Or open a log-in link: <Code>ringdown console link</Code> prints one. It works once. The session is this tab’s alone and ends after
          twelve hours at the latest.
        </p>
      </form>
    </main>
  );
}
