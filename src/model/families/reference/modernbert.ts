/**
 * The whole model in plain TypeScript and f64, for tests: what families/modernbert.ts and its head compute, written like the paper on the
 * kernels' twins. Reads the checkpoint's own tensors (F32 files). T: tokens of the stream.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Task } from '../../../api/types';
import { parseHeader } from '../../../formats/safetensors';
import {
  ACTIVATE,
  add,
  attention,
  geglu,
  layerNorm,
  linear,
  type Matrix,
  pool,
  rope,
  rowsOf,
} from '../../../kernels/twins';
import { tokenStream } from '../../../packing/stream';
import { readModernBert } from '../../fixtures/modernbert';
import type { ModernBertConfig } from '../modernbert';

export interface ReferenceOutputs {
  last_hidden_state: Matrix; // [T, hidden]
  /** [T, vocab], [T, labels] or [sequences, labels]; undefined without a head. */
  logits: Matrix | undefined;
}

export function referenceForward(folder: string, task: Task, sequences: Uint32Array[]): ReferenceOutputs {
  const json: unknown = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'));
  const config = readModernBert(json).config;
  const { matrix, vector } = readTensors(join(folder, 'model.safetensors'), task === 'encoder' ? '' : 'model.');
  const { input_ids, cu_seqlens, positions } = tokenStream(sequences);
  const { head_dim, hidden_size, norm_eps } = config;
  const zero = new Float64Array(hidden_size);
  const norm = (x: Matrix, name: string) =>
    layerNorm(x, vector(`${name}.weight`)!, vector(`${name}.bias`) ?? zero, norm_eps);
  const project = (x: Matrix, name: string) => linear(x, matrix(`${name}.weight`), vector(`${name}.bias`));

  const tok_embeddings = matrix('*embeddings.tok_embeddings.weight');
  let x = norm(rowsOf(tok_embeddings, input_ids), '*embeddings.norm'); // [T, hidden]
  for (const [i, window] of config.windows.entries()) {
    const layer = `*layers.${i}`;
    const qkv = project(i === 0 ? x : norm(x, `${layer}.attn_norm`), `${layer}.attn.Wqkv`); // [T, 3 hidden]
    const [q, k, v] = [0, 1, 2].map((part) =>
      qkv.map((row) => row.slice(part * hidden_size, (part + 1) * hidden_size)),
    );
    const rotate = (m: Matrix) => rope(m, positions, head_dim, config.rope_thetas[i]);
    x = add(x, project(attention({ q: rotate(q), k: rotate(k), v }, cu_seqlens, head_dim, window), `${layer}.attn.Wo`));
    const wide = project(norm(x, `${layer}.mlp_norm`), `${layer}.mlp.Wi`); // [T, 2 intermediate]
    x = add(x, project(geglu(wide, config.hidden_activation), `${layer}.mlp.Wo`));
  }
  const last_hidden_state = norm(x, '*final_norm');

  if (task === 'encoder') return { last_hidden_state, logits: undefined };
  const pooled = task === 'seqcls' ? pool(last_hidden_state, cu_seqlens, config.classifier_pooling) : last_hidden_state;
  const head = norm(activate(project(pooled, 'head.dense'), config), 'head.norm');
  const logits = task === 'mlm' ? linear(head, tok_embeddings, vector('decoder.bias')) : project(head, 'classifier');
  return { last_hidden_state, logits };
}

const activate = (x: Matrix, { classifier_activation }: ModernBertConfig): Matrix =>
  x.map((row) => row.map(ACTIVATE[classifier_activation]));

/** Tensors by name; a leading * stands for the prefix of the file. */
function readTensors(file: string, prefix: string) {
  const bytes = readFileSync(file);
  const data = 8 + Number(bytes.readBigUInt64LE(0));
  const tensors = new Map(parseHeader(bytes.subarray(8, data), file).map((tensor) => [tensor.name, tensor]));
  const find = (name: string) => tensors.get(name.replace('*', prefix));
  const values = (name: string): Float64Array | undefined => {
    const tensor = find(name);
    if (!tensor) return undefined;
    const copy = bytes.buffer.slice(bytes.byteOffset + data + tensor.begin, bytes.byteOffset + data + tensor.end);
    return Float64Array.from(new Float32Array(copy as ArrayBuffer));
  };
  return {
    vector: values,
    matrix(name: string): Matrix {
      const all = values(name);
      const columns = find(name)?.shape[1];
      if (!all || !columns) throw new Error(`${file} has no matrix ${name}`);
      return Array.from({ length: all.length / columns }, (_, r) => all.slice(r * columns, (r + 1) * columns));
    },
  };
}
