import { expect, it } from 'vitest';
import base from '../../../bench/shapes/base.json';
import type { Compute, Dtype } from '../../api/types';
import type { Gpu } from '../../gpu/device';
import { profileOf } from '../../gpu/profile';
import { attentionKernel, WORKGROUP_TILES } from '../../kernels/attention';
import { slotsOf } from '../../kernels/step';
import { buildModel } from '../build';
import type { PassSizes } from '../family';
import { readModernBert } from '../fixtures/modernbert';
import { pooledEmbedding } from '../heads/embeddings';
import { topK } from '../heads/top-k';

/** The forward pass is data: no GPU is needed to look at it. */
const GIBIBYTE = 2 ** 30;
const limits = {
  maxStorageBufferBindingSize: GIBIBYTE,
  maxBufferSize: GIBIBYTE,
  maxComputeWorkgroupStorageSize: 16384,
} as GPUSupportedLimits;
const info = { vendor: '', architecture: '', device: 'a card', description: '' };
const gpu = { limits, profile: profileOf(info, undefined) } as Gpu;

const modelOf = (dtype: Dtype = 'f16', compute: Compute = 'float') =>
  buildModel({
    ...readModernBert(base.config),
    gpu,
    sentence: { modules: [], chains: {} },
    names: new Set(['model.embeddings.tok_embeddings.weight']),
    dtype,
    act: 'f32',
    compute,
    task: 'mlm',
    alloc: (label, size) => ({ label, size }) as GPUBuffer,
  });

const TOKENS = 512;
const attention = { tokens: TOKENS, tiles: 8, pairs: TOKENS * TOKENS, issuedPairs: TOKENS * TOKENS };
const sizes: PassSizes = {
  tokens: TOKENS,
  longest: TOKENS,
  attention: new Map([0, 64].map((window) => [window, attention])),
};

it("has ModernBERT-base's 22 layers: global attention in every third, no norm before the first", () => {
  const { embeddings, layers } = modelOf().model.encoder;
  const block = ['layer_norm', 'mlp.Wi', 'mlp.Wo'];
  const labels = layers.map((steps) => steps.map(({ label }) => label));
  expect(embeddings.map(({ label }) => label)).toEqual(['embeddings', 'layer_norm_in_place']);
  expect(labels[0]).toEqual(['Wqkv', 'attention global', 'attn.Wo', ...block]);
  expect(labels[1]).toEqual(['layer_norm', 'Wqkv', 'attention window', 'attn.Wo', ...block]);
  expect(labels.map((steps) => steps.includes('attention global'))).toEqual(layers.map((_, l) => l % 3 === 0));
});

it('counts two operations per weight of the layers and token, and four per query-key pair and dimension', () => {
  const { layers } = modelOf().model.encoder;
  const flops = layers.flat().reduce((sum, step) => sum + (step.flops?.(sizes) ?? 0), 0);
  const weights = 22 * (4 * 768 ** 2 + 3 * 768 * 1152);
  expect(flops).toBe(2 * weights * TOKENS + 22 * 4 * TOKENS ** 2 * 768);
});

it('reads no slot before it is written, and binds every name that the shaders declare', () => {
  const { embeddings, layers } = modelOf('q8', 'int8').model.encoder;
  const written = new Set([
    'input_ids',
    'positions',
    'bounds 0',
    'bounds 64',
    'tiles 0',
    'tiles 64',
    'rope 160000',
    'rope 10000',
  ]);
  for (const step of [...embeddings, ...layers.flat()]) {
    const kernel = 'attention' in step ? attentionKernel(step.attention, WORKGROUP_TILES[0]) : undefined;
    const source = 'kernel' in step ? step.kernel.source : (kernel?.source ?? '');
    for (const [, name] of source.matchAll(/var<storage, \w+> (\w+)/g))
      expect(Object.keys(step.buffers)).toContain(name);
    const outputs = ['normed', 'hidden_states', 'out', 'a', 'a_scales'].filter(
      (name) => !('gemm' in step) || name === 'out',
    );
    const own = outputs.map((name) => step.buffers[name]).filter((operand) => operand && 'per' in operand);
    for (const slot of slotsOf(step)) if (!own.includes(slot)) expect(written, step.label).toContain(slot.label);
    for (const slot of own) if (slot && 'per' in slot) written.add(slot.label);
  }
  expect(written).toContain('int8');
});

it('rounds the input of every int8 product first', () => {
  const steps = modelOf('q8', 'int8').model.encoder.layers[1];
  const rounded = ['Wqkv', 'attn.Wo', 'mlp.Wi', 'mlp.Wo'].flatMap((label) => ['quantize_rows', label]);
  expect(steps.map(({ label }) => label).filter((label) => !/attention|norm/.test(label))).toEqual(rounded);
});

it('places every tensor of the checkpoint once: 22 layers of six, but for the first norm', () => {
  const { places } = modelOf();
  expect(places.size).toBe(1 + 1 + 22 * 6 - 1 + 1 + 3); // table, its norm, layers, final_norm; head.dense, head.norm, decoder.bias
  expect(places.get('model.layers.21.attn.Wqkv.weight')?.shape).toEqual([3 * 768, 768]);
});

it('heads say what comes back', () => {
  const { model } = modelOf();
  expect(topK(5).build(model)).toMatchObject({ width: 10, answer: { label: 'top_k' } });
  const { steps, width, stride } = pooledEmbedding({ pooling: ['mean'], normalize: true, dimensions: 256 }).build(
    model,
  );
  expect([width, stride]).toEqual([256, 768]);
  expect(steps.map(({ label }) => label)).toEqual(['layer_norm', 'pool mean', 'normalize']); // the last hidden states first
});
