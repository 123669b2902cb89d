// SPDX-License-Identifier: Apache-2.0
// store - a value that components watch. `createStore(x)` outside of them, `useStore(store)` in them.
import { useEffect, useState } from "preact/hooks";

export interface Store<T> {
  get(): T;
  set(next: T | ((was: T) => T)): void;
  watch(fn: (value: T) => void): () => void;
}

export function createStore<T>(first: T): Store<T> {
  let value = first;
  const watchers = new Set<(value: T) => void>();
  return {
    get: () => value,
    set(next) {
      const made = typeof next === "function" ? (next as (was: T) => T)(value) : next;
      if (Object.is(made, value)) return;
      value = made;
      for (const fn of [...watchers]) fn(value);
    },
    watch(fn) {
      watchers.add(fn);
      return () => void watchers.delete(fn);
    },
  };
}

export function useStore<T>(store: Store<T>): T {
  const [value, setValue] = useState(store.get());
  useEffect(() => {
    setValue(store.get()); // it may have changed since this was drawn
    return store.watch((next) => setValue(() => next));
  }, [store]);
  return value;
}
