// SPDX-License-Identifier: Apache-2.0
// hooks - around the tests of each file. The files share their modules (one process, one stand), so that hooks of a
// module would count in the first file alone: this one is loaded for each.
import { afterEach, beforeAll } from "vitest";
import { over, stand } from "./stand";

beforeAll(async () => void (await stand()), 180_000); // the first one waits for PostgreSQL and the node

afterEach(({ task }) => over({ name: task.name, failed: task.result?.state === "fail" }));
