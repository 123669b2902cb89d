// SPDX-License-Identifier: Apache-2.0
// prefs - light or dark, and in which zone times are told. Kept in this browser; nothing about calls is.
import { createStore } from "./store";

export type Theme = "system" | "light" | "dark";

function stored(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function store(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // a browser that keeps nothing
  }
}

export const ownZone = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";

const firstTheme = stored("ringdown.theme");
export const theme = createStore<Theme>(firstTheme === "light" || firstTheme === "dark" ? firstTheme : "system");
export const zone = createStore<string>(stored("ringdown.zone") === "UTC" ? "UTC" : ownZone);

export function applyPrefs(): void {
  const apply = (value: Theme) => {
    if (value === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = value;
  };
  apply(theme.get());
  theme.watch((value) => (apply(value), store("ringdown.theme", value)));
  zone.watch((value) => store("ringdown.zone", value === "UTC" ? "UTC" : ""));
}
