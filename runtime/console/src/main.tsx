// SPDX-License-Identifier: Apache-2.0
// main - begins: who is here, then the page of the address.
import { render } from "preact";
import { useEffect } from "preact/hooks";
import { connect, disconnect } from "./api/events";
import { LogIn } from "./login";
import { Shell } from "./shell";
import { applyPrefs } from "./state/prefs";
import { followLinks } from "./state/router";
import { begin, session } from "./state/session";
import { useStore } from "./state/store";
import "./style/tokens.css";
import "./style/base.css";
import "./style/parts.css";
import { closeDialogs } from "./ui/dialog";
import { Loading } from "./ui/states";
import { clearToasts } from "./ui/toast";

function Console() {
  const now = useStore(session);
  useEffect(() => {
    if (now.state === "in") connect();
    else if (now.state === "out") {
      disconnect();
      closeDialogs();
      clearToasts();
    }
  }, [now.state]);
  if (now.state === "in") return <Shell />;
  if (now.state === "out") return <LogIn why={now.why} remedy={now.remedy} />;
  return (
    <main class="login" id="main">
      <Loading what="Logging in" />
    </main>
  );
}

applyPrefs();
followLinks();
render(<Console />, document.getElementById("app")!);
void begin();
