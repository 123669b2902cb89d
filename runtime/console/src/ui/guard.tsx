// SPDX-License-Identifier: Apache-2.0
// guard - what throws while it is drawn is told in its place; what stands around it goes on.
import { Component, type ComponentChildren } from "preact";
import { Failed } from "./states";

interface Props {
  at: string; // another place is another try
  children: ComponentChildren;
}

export class Guard extends Component<Props, { why: unknown }> {
  override state = { why: null };

  static override getDerivedStateFromError(why: unknown) {
    return { why: why ?? "nothing was said" };
  }

  override componentDidUpdate(before: Props): void {
    if (before.at !== this.props.at && this.state.why !== null) this.setState({ why: null });
  }

  override render() {
    return this.state.why === null ? this.props.children : <Failed why={this.state.why} again={() => this.setState({ why: null })} />;
  }
}
