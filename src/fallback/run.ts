/** Passes of the scheduler by an ONNX file, and heads that compute in plain numbers. */
import type { Pooling } from '../api/embeddings';
import { ModelFileError, WebGPUUnavailableError } from '../api/errors';
import type { Task } from '../api/types';
import { pool } from '../kernels/twins';
import { type Applies, type CpuSequence, throughModules } from '../model/cpu-sequence';
import { isPooling } from '../model/modules/pooling';
import { type TokenStream, tokenStream } from '../packing/stream';
import type { HeadRequest, HeadResult } from '../runtime/head-runner';
import type { Span } from '../runtime/pass-items';
import type { SchedulerOptions } from '../runtime/scheduler';
import { turns } from '../turns';
import type { OnnxSession, Output, Sequence } from './transformers-js';

/** What the run has to know of a model. */
export interface OnnxModel {
  session: OnnxSession;
  task: Task;
  hidden_size: number;
  /** Logits per row or sequence. */
  logits: number;
  applies: Applies;
}

type Outputs = Record<string, Output>;

/**
 * One sequence after the other: WebAssembly gains next to nothing by batches, a page would wait longer for its turn, and quantised weights, whose
 * activations are rounded by the largest of a batch, would give a text other numbers in other company. Rejects with a WebGPUUnavailableError for what
 * only the GPU's kernels compute.
 */
export function onnxRun(model: OnnxModel): SchedulerOptions['run'] {
  return async (sequences, requests, options) => {
    if (options.hiddenRows || requests.some(({ head }) => !head.onCpu)) throw needsGpu();
    const stream = tokenStream(sequences, options);
    const places = requests.map((request) => placesOf(request, stream));
    const answers = requests.map((): Float32Array[] => []);
    const pause = turns(undefined);
    for (const s of sequences.keys()) {
      const outputs = await model.session.run(inputOf(s, stream));
      for (const [q, { head }] of requests.entries()) {
        for (const [r, { sequence, span }] of places[q].entries()) {
          if (sequence === s) answers[q][r] = head.onCpu!(sequenceOf(model, outputs, span));
        }
      }
      await pause();
    }
    return { heads: answers.map(joined), dispatches: 0, flops: 0, issuedFlops: 0 };
  };
}

const needsGpu = () =>
  new WebGPUUnavailableError(
    'This call needs WebGPU; transformers.js, which runs the model in its place, cannot compute it.',
  );

/** Which sequence each row of a request's answer is of, and which of its tokens. */
function placesOf(
  { head, indices, spans }: HeadRequest,
  { cu_seqlens }: TokenStream,
): { sequence: number; span: Span }[] {
  return Array.from(indices, (index, r) => {
    if (head.by === 'row') {
      const sequence = cu_seqlens.findLastIndex((start) => start <= index);
      const row = index - cu_seqlens[sequence];
      return { sequence, span: [row, row, row + 1] };
    }
    const [start, first, end] = spans!.subarray(3 * r, 3 * r + 3).map((row) => row - cu_seqlens[index]);
    return { sequence: index, span: [start, first, end] };
  });
}

const inputOf = (s: number, { cu_seqlens, input_ids, token_type_ids }: TokenStream): Sequence => {
  const tokens = [cu_seqlens[s], cu_seqlens[s + 1]] as const;
  const attention_mask = new Uint32Array(tokens[1] - tokens[0]).fill(1);
  return {
    input_ids: input_ids.subarray(...tokens),
    attention_mask,
    token_type_ids: token_type_ids.subarray(...tokens),
  };
};

/** Tokens of a sequence, as heads read it. */
function sequenceOf(model: OnnxModel, outputs: Outputs, [start, first, end]: Span): CpuSequence {
  const { session, applies } = model;
  /** Rows of an output [1, length, width], or the one of [1, width]. */
  const rowsOf = (name: string, width: number): Float32Array<ArrayBuffer>[] => {
    const { data, dims } = outputs[name];
    if (dims.at(-1) !== width) {
      throw new ModelFileError(
        `${session.where}: ${name} has ${dims.at(-1)} numbers per row, but the checkpoint's config.json says ${width}. It is the export of another model.`,
      );
    }
    const [from, to] = dims.length === 3 ? [start, end] : [0, 1];
    return Array.from({ length: to - from }, (_, r) => data.slice((from + r) * width, (from + r + 1) * width));
  };
  const logits = (): Float32Array<ArrayBuffer> => {
    if (model.task !== 'qa') return rowsOf('logits', model.logits)[0];
    return Float32Array.of(outputs.start_logits.data[start], outputs.end_logits.data[start]);
  };
  return {
    through(modules, poolings = modules.find(isPooling)!.poolings) {
      const name = hiddenStates(session);
      if (!name) {
        throw new WebGPUUnavailableError(
          `${session.where} returns ${session.outputs.join(', ')}, of which no embeddings can be made without WebGPU. Name a repository with an export for feature extraction with the option onnx.`,
        );
      }
      const rows = rowsOf(name, model.hidden_size).map((row) => Float64Array.from(row));
      const pooled = poolings.flatMap((pooling: Pooling) => [
        ...pool(rows, Uint32Array.of(0, rows.length), pooling, first - start)[0],
      ]);
      return throughModules(Float64Array.from(pooled), modules, applies);
    },
    logits,
    best: (k) => bestOf(logits(), k),
    weights() {
      throw needsGpu();
    },
  };
}

/** Which of the outputs are hidden states: by transformers' name, or by that of sentence-transformers. */
export const hiddenStates = ({ outputs }: OnnxSession): string | undefined =>
  ['last_hidden_state', 'token_embeddings'].find((name) => outputs.includes(name));

/** See CpuSequence. */
function bestOf(logits: Float32Array, k: number): Float32Array<ArrayBuffer> {
  const ids: number[] = [];
  let most = -Infinity;
  for (const [id, x] of logits.entries()) {
    most = Math.max(most, x);
    if (ids.length === k && !(x > logits[ids[k - 1]])) continue;
    const at = ids.findIndex((other) => logits[other] < x);
    ids.splice(at < 0 ? ids.length : at, 0, id);
    ids.length = Math.min(ids.length, k);
  }
  const total = logits.reduce((sum, x) => sum + Math.exp(x - most), 0);
  const pairs = new Float32Array(2 * ids.length);
  const words = new Uint32Array(pairs.buffer);
  for (const [i, id] of ids.entries()) {
    words[2 * i] = id;
    pairs[2 * i + 1] = Math.exp(logits[id] - most) / total;
  }
  return pairs;
}

function joined(rows: Float32Array[]): HeadResult {
  const width = rows[0]?.length ?? 0;
  const data = new Float32Array(rows.length * width);
  for (const [r, row] of rows.entries()) data.set(row, r * width);
  return { data, width };
}
