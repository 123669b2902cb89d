// SPDX-License-Identifier: Apache-2.0
// health - the nodes of the last day.
import { useApi } from "../api/use";
import { Panel, Page, Shown } from "../ui/view";

export default function Health() {
  const nodes = useApi("GET /nodes", {}, { everyMs: 10_000 });
  return (
    <Page title="Health">
      <Panel title="Nodes" flush>
        <Shown of={nodes}>{(data) => <pre>{JSON.stringify(data, null, 1)}</pre>}</Shown>
      </Panel>
    </Page>
  );
}
