// SPDX-License-Identifier: Apache-2.0
// frames.js - messages to the model, one JSON object per line; each remembers where it stood.
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

export const HERE = import.meta.dirname ?? new URL('.', import.meta.url).pathname;

export function readFrames(path) {
  const frames = [];
  readFileSync(path, 'utf8').split('\n').forEach((line, i) => {
    if (line.trim() === '') return;
    const value = JSON.parse(line);
    frames.push({ at: `${basename(path)}:${i + 1}`, event: value.event ?? value });
  });
  return frames;
}

export const sample = (name) => readFrames(join(HERE, 'samples', name));

// Values that differ from call to call and say nothing about the shape.
const PASSING = new Set(['audio', 'event_id', 'item_id', 'previous_item_id', 'id', 'call_id', 'response_id',
  'audio_end_ms']);

// One frame for every different one: 10,000 frames of audio are judged once.
export function distinct(frames) {
  const seen = new Map();
  for (const frame of frames) {
    const key = JSON.stringify(frame.event, (name, value) => (PASSING.has(name) ? typeof value : value));
    if (!seen.has(key)) seen.set(key, frame);
  }
  return [...seen.values()];
}
