// SPDX-License-Identifier: Apache-2.0
// router - the address is the state: which page, which thing on it, which filters.
//
// Pages write plain links (<a href="/calls/CA…">): clicks on them are taken here. `useQuery()` reads and writes
// what stands behind the "?".
import { useCallback } from "preact/hooks";
import { createStore, useStore } from "./store";

export interface Route {
  path: string;
  segments: string[];
  query: URLSearchParams;
}

export function read(href: string): Route {
  const url = new URL(href, "http://console");
  const segments = url.pathname.split("/").filter(Boolean).map(decoded);
  return { path: url.pathname, segments, query: url.searchParams };
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** "/calls/{call}" of segments: to("calls", sid). */
export function to(...segments: string[]): string {
  return "/" + segments.map(encodeURIComponent).join("/");
}

/** The same address with other parameters; what is "", null or undefined is left out. */
export function withQuery(query: URLSearchParams, patch: Record<string, string | null | undefined>): string {
  const next = new URLSearchParams(query);
  for (const [name, value] of Object.entries(patch)) {
    if (value === "" || value === null || value === undefined) next.delete(name);
    else next.set(name, value);
  }
  const text = next.toString();
  return text ? "?" + text : "";
}

const here = () => (typeof location === "undefined" ? "/" : location.href);

export const route = createStore<Route>(read(here()));

export function navigate(href: string, o: { replace?: boolean } = {}): void {
  if (o.replace) history.replaceState(null, "", href);
  else history.pushState(null, "", href);
  route.set(read(here()));
  if (!o.replace) scrollTo(0, 0);
}

/** Clicks on links of ours, and the browser's back and forward. */
export function followLinks(): void {
  addEventListener("popstate", () => route.set(read(here())));
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element).closest?.("a[href]") as HTMLAnchorElement | null;
    if (!link || link.target || link.download || link.origin !== location.origin) return;
    if (link.pathname.startsWith("/api/") || (link.hash && link.pathname === location.pathname)) return;
    event.preventDefault();
    navigate(link.pathname + link.search);
  });
}

export const useRoute = (): Route => useStore(route);

/** What stands behind the "?", and how to change it. A change of filters goes back to the first page of a list. */
export function useQuery(): [URLSearchParams, (patch: Record<string, string | null | undefined>) => void] {
  const { query } = useRoute();
  const change = useCallback((patch: Record<string, string | null | undefined>) => {
    const now = route.get();
    const keep = "cursor" in patch ? patch : { cursor: null, ...patch };
    navigate(now.path + withQuery(now.query, keep), { replace: !("cursor" in patch) });
  }, []);
  return [query, change];
}
