// SPDX-License-Identifier: Apache-2.0
// types.js - a vendor's own TypeScript types as a judge: every value becomes a constant of the type it should
// have, and the compiler says whether that is true. Unknown fields are errors too. Here, the messages to the
// model, which are OpenAI's RealtimeClientEvent; vapi.js asks for Vapi's.
import ts from 'typescript';
import { join } from 'node:path';

import { distinct, HERE } from './frames.js';

const OPTIONS = {
  strict: true, noEmit: true, skipLibCheck: true, types: ['node'], target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext,
};
const NAME = join(HERE, 'frames.generated.ts'); // never written: it lives in memory
const HEAD = "import type { RealtimeClientEvent } from 'openai/resources/realtime/realtime';";

// Sound is a string whatever its length; the compiler need not read all of it.
const short = (name, value) => (name === 'audio' && typeof value === 'string' ? value.slice(0, 16) : value);

let previous; // the library's types are parsed once, not once per question

function compile(source) {
  const host = ts.createCompilerHost(OPTIONS);
  const { fileExists, getSourceFile, readFile } = host;
  host.fileExists = (file) => file === NAME || fileExists(file);
  host.readFile = (file) => (file === NAME ? source : readFile(file));
  host.getSourceFile = (file, language, ...rest) => (file === NAME
    ? ts.createSourceFile(file, source, language)
    : previous?.getSourceFile(file) ?? getSourceFile(file, language, ...rest));
  previous = ts.createProgram([NAME], OPTIONS, host, previous);
  return ts.getPreEmitDiagnostics(previous);
}

// The innermost sentence of the compiler's explanation says it best.
function explain(message) {
  let text = message;
  while (typeof text !== 'string') text = text.next?.length ? text.next[0] : text.messageText;
  return text;
}

// The compiler's complaints about `export const …` lines below a head of one line: { line: its place, text }.
export function complaintsAbout(head, lines) {
  return compile([head, ...lines].join('\n')).map((diagnostic) => {
    const ours = diagnostic.file?.fileName === NAME;
    const line = ours ? diagnostic.file.getLineAndCharacterOfPosition(diagnostic.start).line - 1 : -1;
    return { line, text: `${ours ? '' : `${diagnostic.file?.fileName ?? 'types'}: `}${explain(diagnostic.messageText)}` };
  });
}

export function typesJudge(frames) {
  const judged = distinct(frames);
  const lines = judged.map(({ event }, i) => `export const f${i}: RealtimeClientEvent = ${JSON.stringify(event, short)};`);
  return complaintsAbout(HEAD, lines).map(({ line, text }) => {
    const frame = judged[line];
    return frame ? `${frame.at}: ${frame.event.type}: ${text}` : text;
  });
}
Object.defineProperty(typesJudge, 'name', { value: 'types' });
