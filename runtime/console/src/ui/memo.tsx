// SPDX-License-Identifier: Apache-2.0
// memo - a component that is drawn anew only when what it is given has changed. Functions among it do not count: those
// of columns are made at each drawing and say the same.
import { Component, type ComponentChild, type FunctionComponent } from "preact";

function same(a: Record<string, unknown>, b: Record<string, unknown>): boolean {
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((k) => Object.is(a[k], b[k]) || (typeof a[k] === "function" && typeof b[k] === "function"));
}

export function memo<P extends object>(inner: FunctionComponent<P>): FunctionComponent<P> {
  class Memo extends Component<P> {
    override shouldComponentUpdate(next: P): boolean {
      return !same(this.props as Record<string, unknown>, next as Record<string, unknown>);
    }
    override render(): ComponentChild {
      const Inner = inner;
      return <Inner {...(this.props as P)} />;
    }
  }
  return Memo as unknown as FunctionComponent<P>;
}
