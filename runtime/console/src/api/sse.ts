// SPDX-License-Identifier: Apache-2.0
// sse - the wire of an event stream: text in any pieces goes in, messages come out.

export interface Message {
  event: string; // "message" unless it has a name
  data: string;
  id: string | null;
}

const LONGEST = 1 << 20;

export class SseParser {
  retryMs: number | null = null;
  lastId: string | null = null;
  private rest = "";
  private event = "";
  private data: string[] = [];
  private id: string | null = null;

  /** Messages that are whole by now. Comments only show that somebody is there. */
  feed(text: string): Message[] {
    const out: Message[] = [];
    this.rest += text;
    if (this.rest.length > LONGEST) throw new Error("an event is longer than a megabyte");
    const lines = this.rest.split(/\r\n|\n|\r(?!$)/);
    this.rest = lines.pop() ?? "";
    for (const line of lines) {
      const message = this.line(line);
      if (message) out.push(message);
    }
    return out;
  }

  private line(line: string): Message | null {
    if (line === "") return this.done();
    if (line.startsWith(":")) return null;
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "data") this.data.push(value);
    else if (name === "event") this.event = value;
    else if (name === "id" && !value.includes("\0")) this.id = value;
    else if (name === "retry" && /^\d+$/.test(value)) this.retryMs = Number(value);
    return null;
  }

  private done(): Message | null {
    const { event, data, id } = this;
    this.event = "";
    this.data = [];
    this.id = null;
    if (id !== null) this.lastId = id;
    return data.length > 0 ? { event: event || "message", data: data.join("\n"), id } : null;
  }
}
