// SPDX-License-Identifier: Apache-2.0
// pages - which pages there are, in the order of the rail. A page is a file in pages/ whose default export is a
// component; it is loaded when somebody goes there. What stands behind its path (/calls/CA…) it gets as `rest`.
import type { ComponentType } from "preact";
import type { Role } from "./state/session";

export interface PageProps {
  rest: string[];
}

type Load = () => Promise<{ default: ComponentType<PageProps> }>;

export interface PageEntry {
  path: string; // one segment
  title: string;
  role: Role;
  all?: boolean; // nothing on it is for tokens of some agents only
  group: number; // pages of a group stand together
  load: Load | undefined;
}

const files = import.meta.glob<{ default: ComponentType<PageProps> }>("./pages/*.tsx");

const page = (group: number, path: string, title: string, role: Role = "viewer", more: { all?: boolean; file?: string } = {}): PageEntry => ({
  group,
  path,
  title,
  role,
  all: more.all,
  load: files[`./pages/${more.file ?? path}.tsx`],
});

export const pages: PageEntry[] = [
  page(1, "today", "Today"),
  page(1, "live", "Live"),
  page(1, "calls", "Calls"),
  page(1, "emergencies", "Emergencies"),
  page(2, "numbers", "Numbers"),
  page(2, "rollout", "Rollout"),
  page(3, "dashboard", "Dashboard"),
  page(3, "costs", "Costs"),
  page(3, "agents", "Agents"),
  page(3, "texts", "Texts"),
  page(3, "appointments", "Appointments"),
  page(4, "alerts", "Alerts"),
  page(4, "nodes", "Health", "viewer", { file: "health", all: true }), // /health is a machine's
  page(4, "settings", "Settings", "operator"),
].filter((p) => p.load);
