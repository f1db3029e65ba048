import type { Model } from '../../src/index';
import { type Measured, shapeOf, timeOf } from './cost';
import {
  firstPassages,
  MOST,
  type Passage,
  passagesOf,
  pieceEnd,
  type Sentence,
  type Span,
  sentencesOf,
} from './passages';
import type { Rows } from './scores';
import { type Window, windowsOf } from './windows';

/** Tokens of a text that are read, at most: on a strip a passage of more would be too thin to see. */
export const MOST_TOKENS = 65_536;
/** Characters that are tokenized at a time, so that the page stays awake. */
const PIECE = 5000;
/** Tokens that windows share, at most. */
const OVERLAP = 1024;
/** Tokens of the first piece that is measured. */
const PROBE = 256;

/** A text in passages, of a model's tokens. */
export interface Prepared {
  passages: Passage[];
  tokens: number;
  /** Where what is read ends in the text; before its end if that has more than MOST_TOKENS. */
  end: number;
  /** Tokens of a text that one pass can read. */
  room: number;
}

/** Divides a text. Throws an Error in words if there is none, and the reason of `signal`. */
export async function prepare(
  model: Model,
  text: string,
  signal: AbortSignal,
  onProgress: (characters: number) => void,
): Promise<Prepared> {
  if (text.trim() === '') throw new Error('There is no text yet: write or paste one, drop a file, or try the chapter.');
  const room = await roomOf(model);
  const most = Math.min(MOST, Math.floor(room / 4));
  const sentences: Sentence[] = [];
  let tokens = 0;
  let end = 0;
  while (end < text.length && tokens <= MOST_TOKENS) {
    const piece = text.slice(end, pieceEnd(text, end, PIECE));
    if (piece.trim() !== '') {
      const starts = startsOf(await model.tokenize(piece));
      signal.throwIfAborted();
      for (const sentence of sentencesOf(piece, starts, most, end)) sentences.push(sentence);
      tokens += starts.length;
    }
    end += piece.length;
    onProgress(end);
  }
  if (tokens === 0) throw new Error('This text has no words: the model finds no tokens in it.');
  const passages = firstPassages(passagesOf(sentences, most), MOST_TOKENS);
  const last = passages[passages.length - 1];
  return { passages, tokens: sumOf(passages), end: last.end, room };
}

/** Where the tokens of a text begin in it, special ones left out. */
const startsOf = ({ offsets }: { offsets: [number, number][] }): number[] =>
  offsets.filter(([from, to]) => to > from).map(([from]) => from);

const sumOf = (passages: Passage[]): number => passages.reduce((sum, { tokens }) => sum + tokens, 0);

/** Tokens that the special ones and the prompt leave of what a pass can read. */
async function roomOf(model: Model): Promise<number> {
  const { info } = model;
  const prompt = info.prompts[info.promptNames.document ?? ''] ?? '';
  const used = (await model.tokenize(prompt)).ids.length;
  // Where the prompt meets the text, and where a window begins, there may be a token more than was counted.
  return Math.min(info.maxTokens, info.maxTokensPerPass) - used - 2;
}

/** Windows over passages, as large as the model can read. */
export const windowsFor = (passages: Passage[], room: number): Window[] =>
  windowsOf(
    passages.map(({ tokens }) => tokens),
    room,
    Math.min(OVERLAP, Math.floor(room / 4)),
  );

/** Measures how long a pass over the beginning of a text takes. */
export async function measure(model: Model, text: string, passages: Passage[], signal: AbortSignal): Promise<Measured> {
  const first = firstPassages(passages, PROBE);
  const piece = text.slice(first[0].start, first[first.length - 1].end);
  await model.embed(piece, { kind: 'document', truncate: true, signal }); // the first one prepares the GPU
  const began = performance.now();
  await model.embed(piece, { kind: 'document', truncate: true, signal });
  return { tokens: sumOf(first), ms: performance.now() - began };
}

/** Milliseconds that reading these passages will take. */
export const timeFor = (model: Model, measured: Measured, windows: Window[]): number =>
  timeOf(
    shapeOf(model.info.config),
    measured,
    windows.map(({ tokens }) => tokens),
  );

/**
 * Chunks in each of which a token begins, of which `starts` are the places: others are made longer until the token before. Words that were divided to
 * be tokenized piece by piece have other tokens as a whole, or only one.
 */
function withTokens(chunks: Span[], starts: number[]): Span[] {
  return chunks.map(({ start, end }) => {
    const next = starts.findIndex((at) => at >= start);
    if (next >= 0 && starts[next] < end) return { start, end };
    const before = next < 0 ? starts.length - 1 : next - 1;
    return { start: starts[before] ?? start, end };
  });
}

/** Vectors of unit length. */
export interface Vectors {
  passages: Rows;
  /** Of all passages' sentences, one after the other. */
  sentences: Rows;
}

/**
 * Late chunking (Günther et al. 2024): the model reads a window as a whole, and each of its passages and sentences gets the mean, or whatever else the
 * checkpoint pools by, of its own tokens, which have seen all others.
 */
export async function readPassages(
  model: Model,
  text: string,
  passages: Passage[],
  windows: Window[],
  { signal, onPass }: { signal: AbortSignal; onPass(window: Window, ms: number): void },
): Promise<Vectors> {
  const parts: { passages: Float32Array; sentences: Float32Array }[] = [];
  const room = await roomOf(model);
  let dim = 0;
  for (const window of windows) {
    const { start } = passages[window.from];
    const own = passages.slice(window.ownFrom, window.ownTo);
    const chunks = [...own, ...own.flatMap(({ sentences }) => sentences)].map((span) => ({
      start: span.start - start,
      end: span.end - start,
    }));
    const piece = text.slice(start, passages[window.to - 1].end);
    const starts = startsOf(await model.tokenize(piece)).slice(0, room);
    const began = performance.now();
    const embeddings = await model.embed(piece, {
      kind: 'document',
      chunks: withTokens(chunks, starts),
      normalize: true,
      truncate: true,
      signal,
    });
    dim = embeddings.dim;
    parts.push({
      passages: embeddings.data.subarray(0, own.length * dim),
      sentences: embeddings.data.subarray(own.length * dim),
    });
    onPass(window, performance.now() - began);
  }
  const joined = (key: 'passages' | 'sentences'): Rows => ({ data: concatenated(parts.map((part) => part[key])), dim });
  return { passages: joined('passages'), sentences: joined('sentences') };
}

function concatenated(parts: Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** The vector of a question. Throws an Error in words if it is too long. */
export async function embedQuestion(model: Model, question: string, signal: AbortSignal): Promise<Float32Array> {
  const limit = Math.min(model.info.maxTokens, model.info.maxTokensPerPass);
  const { length } = (await model.tokenize(question)).ids;
  if (length > limit) {
    throw new Error(
      `The question has ${length.toLocaleString('en')} tokens; this model reads up to ${limit.toLocaleString('en')} at once. Shorten it.`,
    );
  }
  return (await model.embed(question, { kind: 'query', normalize: true, truncate: true, signal })).data;
}
