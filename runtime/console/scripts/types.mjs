// SPDX-License-Identifier: Apache-2.0
// types - writes src/api/types.ts from docs/openapi.yaml. `--check`: says whether it is current, and writes nothing.
//
// The description is written by scripts/openapi in a small part of YAML: block maps and lists, plain words and JSON
// texts. That part is read here, and what is not of it is an error with its line.
import { readFileSync, writeFileSync } from "node:fs";

const SOURCE = new URL("../../../docs/openapi.yaml", import.meta.url);
const TARGET = new URL("../src/api/types.ts", import.meta.url);

// ---- reading ----

function scalar(text, line) {
  if (/^["[{]|^-?\d|^(true|false|null)$/.test(text)) {
    try {
      return JSON.parse(text);
    } catch {
      throw new Error(`docs/openapi.yaml:${line}: ${text} is no JSON`);
    }
  }
  return text;
}

const KEY = /^("(?:[^"\\]|\\.)*"|[^\s"':]+):(?: (.*))?$/; // a text with a colon in it is always in quotes

export function parse(text) {
  const lines = text
    .split("\n")
    .map((raw, i) => ({ indent: raw.search(/\S/), text: raw.trim(), line: i + 1 }))
    .filter((l) => l.text !== "" && !l.text.startsWith("#"));
  let at = 0;

  function block(indent) {
    const first = lines[at];
    return first.text.startsWith("- ") ? list(indent) : map(indent);
  }

  function value(rest, indent, line) {
    if (rest !== undefined && rest !== "") return scalar(rest, line);
    const next = lines[at];
    if (!next || next.indent <= indent) throw new Error(`docs/openapi.yaml:${line}: there is no value`);
    return block(next.indent);
  }

  function map(indent) {
    const out = {};
    while (at < lines.length && lines[at].indent === indent && !lines[at].text.startsWith("- ")) {
      const { text: row, line } = lines[at++];
      const found = KEY.exec(row);
      if (!found) throw new Error(`docs/openapi.yaml:${line}: this is no member: ${row}`);
      const name = found[1].startsWith('"') ? JSON.parse(found[1]) : found[1];
      out[name] = value(found[2], indent, line);
    }
    return out;
  }

  function list(indent) {
    const out = [];
    while (at < lines.length && lines[at].indent === indent && lines[at].text.startsWith("- ")) {
      const row = lines[at];
      const rest = row.text.slice(2);
      if (KEY.test(rest)) {
        lines[at] = { indent: indent + 2, text: rest, line: row.line };
        out.push(map(indent + 2));
      } else {
        at++;
        out.push(scalar(rest, row.line));
      }
    }
    return out;
  }

  const out = block(0);
  if (at < lines.length) throw new Error(`docs/openapi.yaml:${lines[at].line}: this stands at no place`);
  return out;
}

// ---- writing ----

const isName = (text) => /^[A-Za-z_$][\w$]*$/.test(text);
const key = (text) => (isName(text) ? text : JSON.stringify(text));
const comment = (text, indent) => (text ? `${indent}/** ${String(text).replaceAll("*/", "* /")} */\n` : "");

function one(type, s, indent) {
  switch (type) {
    case "string":
      return "string";
    case "integer":
    case "number":
      return "number";
    case "boolean":
      return "boolean";
    case "null":
      return "null";
    case "array": {
      const of = s.items ? typeOf(s.items, indent) : "unknown";
      return /[|\s]/.test(of) && !of.startsWith("{") ? `(${of})[]` : `${of}[]`;
    }
    case "object":
      return object(s, indent);
    default:
      return "unknown";
  }
}

function object(s, indent) {
  const members = Object.entries(s.properties ?? {});
  const more = s.additionalProperties;
  if (members.length === 0)
    return typeof more === "object" && Object.keys(more).length > 0
      ? `Record<string, ${typeOf(more, indent)}>`
      : "Record<string, unknown>";
  const required = new Set(s.required ?? []);
  const inner = indent + "  ";
  const rows = members.map(
    ([name, of]) =>
      comment(of.description, inner) + `${inner}${key(name)}${required.has(name) ? "" : "?"}: ${typeOf(of, inner)};\n`,
  );
  return `{\n${rows.join("")}${indent}}`;
}

function typeOf(s, indent = "") {
  if (s === true || s === undefined) return "unknown";
  if (s.$ref) return s.$ref.split("/").pop();
  const any = s.anyOf ?? s.oneOf;
  if (any) return [...new Set(any.map((x) => typeOf(x, indent)))].join(" | ");
  const types = Array.isArray(s.type) ? s.type : [s.type ?? (s.properties ? "object" : undefined)];
  if (s.enum) {
    const words = s.enum.map((x) => JSON.stringify(x));
    if (types.includes("null") && !s.enum.includes(null)) words.push("null");
    return words.join(" | ");
  }
  if (s.const !== undefined) return JSON.stringify(s.const);
  return types.map((t) => one(t, s, indent)).join(" | ");
}

const METHODS = ["get", "put", "post", "patch", "delete"];

function answerOf(operation) {
  const good = Object.entries(operation.responses ?? {}).filter(([status]) => /^2/.test(status));
  const types = good.map(([, r]) => {
    const json = r.content?.["application/json"];
    if (json) return typeOf(json.schema, "    ");
    return r.content ? "string" : "void";
  });
  return [...new Set(types)].join(" | ") || "void";
}

function bodyOf(operation) {
  const content = operation.requestBody?.content;
  if (!content) return "undefined";
  const json = content["application/json"];
  const type = json ? typeOf(json.schema, "    ") : "string";
  return operation.requestBody.required ? type : `${type} | undefined`;
}

function fields(parameters, where) {
  const rows = parameters
    .filter((p) => p.in === where)
    .map((p) => `${comment(p.description, "      ")}      ${key(p.name)}${p.required ? "" : "?"}: ${typeOf(p.schema, "      ")};\n`);
  return rows.length ? `{\n${rows.join("")}    }` : "Record<never, never>";
}

function operationsOf(api) {
  const list = [];
  for (const [path, item] of Object.entries(api.paths))
    for (const method of METHODS) if (item[method]) list.push({ name: `${method.toUpperCase()} ${path}`, o: item[method] });
  return list.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function facts(o) {
  const parameters = o.parameters ?? [];
  const header = (name) => parameters.some((p) => p.in === "header" && p.name.toLowerCase() === name);
  const type = Object.keys(o.requestBody?.content ?? {})[0];
  return {
    role: o["x-role"] ?? "viewer",
    all: /Not with a token of some agents only/i.test(o.description ?? "") || undefined,
    once: header("idempotency-key") || undefined,
    type: type && type !== "application/json" ? type : undefined,
  };
}

export function make(text) {
  const api = parse(text);
  const out = [
    "// SPDX-License-Identifier: Apache-2.0\n",
    "// Made from docs/openapi.yaml by `npm run types`.\n",
  ];
  for (const [name, s] of Object.entries(api.components.schemas).sort(([a], [b]) => (a < b ? -1 : 1)))
    out.push(`\n${comment(s.description, "")}export type ${name} = ${typeOf(s)};\n`);
  const list = operationsOf(api);
  out.push("\nexport interface Operations {\n");
  for (const { name, o } of list) {
    const p = o.parameters ?? [];
    out.push(comment(o.summary, "  "));
    out.push(`  ${JSON.stringify(name)}: {\n    path: ${fields(p, "path")};\n    query: ${fields(p, "query")};\n`);
    out.push(`    body: ${bodyOf(o)};\n    answer: ${answerOf(o)};\n  };\n`);
  }
  out.push("}\n\nexport type Operation = keyof Operations;\n");
  out.push("\n/** What one needs for it. all: a token of some agents only may not; once: takes Idempotency-Key. */\n");
  out.push("export const needs: Record<Operation, { role: string; all?: true; once?: true; type?: string }> = {\n");
  for (const { name, o } of list) {
    const f = facts(o);
    const rows = Object.entries(f).filter(([, v]) => v !== undefined);
    out.push(`  ${JSON.stringify(name)}: { ${rows.map(([k, v]) => `${k}: ${JSON.stringify(v)}`).join(", ")} },\n`);
  }
  out.push("};\n");
  return out.join("");
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const made = make(readFileSync(SOURCE, "utf8"));
  if (!process.argv.includes("--check")) writeFileSync(TARGET, made);
  else if (readFileSync(TARGET, "utf8") !== made) {
    console.error("src/api/types.ts is not what docs/openapi.yaml says; run: npm run types");
    process.exit(1);
  }
}
