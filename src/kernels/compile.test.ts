import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { create } from 'webgpu';
import { GpuMemory } from '../gpu/buffers';
import { type Gpu, openGpu } from '../gpu/device';
import { SlotBuffers } from '../runtime/slot-buffers';
import { type CompiledStep, createCompiler } from './compile';
import type { Operand, Slot } from './step';

const ADD = `@group(0) @binding(0) var<storage, read> a: array<u32>;
@group(0) @binding(1) var<storage, read_write> b: array<u32>;
@compute @workgroup_size(1) fn main() { b[0] += a[0]; }`;

const narrow: Slot = { label: 'narrow', per: 'token', bytes: 4 };
const wide: Slot = { label: 'wide', per: 'token', bytes: 64 };
const part: Operand<number> = { of: wide, range: (row) => ({ offset: 256 * row, size: 256 }) };

let gpu: Gpu;
let memory: GpuMemory;
let buffers: SlotBuffers;
const compiled = (a: Operand<number>, b: Operand<number>): Promise<CompiledStep<number>> =>
  createCompiler(gpu)({
    label: 'add',
    kernel: { label: 'add', source: ADD, constants: {} },
    buffers: { a, b },
    workgroups: () => [1],
  });
const reserve = (tokens: number) => buffers.reserve([narrow, wide].map((slot) => ({ slot, units: tokens })));
/** The resources of the bind groups that were made, in their order. */
const bound = () =>
  vi.mocked(gpu.device.createBindGroup).mock.calls.map(([{ entries }]) => {
    return [...entries].map(({ resource }) => resource as GPUBufferBinding);
  });

beforeAll(async () => {
  gpu = await openGpu(create(['backend=null']));
  vi.spyOn(gpu.device, 'createBindGroup');
  memory = new GpuMemory(gpu);
});
beforeEach(() => {
  buffers = new SlotBuffers(memory);
  reserve(64);
  vi.mocked(gpu.device.createBindGroup).mockClear();
});
afterAll(() => gpu.device.destroy());

it('keeps the bind group of a step until one of the buffers is another', async () => {
  const step = await compiled(narrow, wide);
  const group = () => step.dispatch(0, buffers.bufferOf).bindGroup;
  const first = group();
  reserve(10);
  expect(group()).toBe(first);
  const old = [narrow, wide].map((slot) => buffers.bufferOf(slot));

  buffers.reserve([{ slot: wide, units: 65 }]);
  const grown = group();
  expect(grown).not.toBe(first);
  expect(group()).toBe(grown);

  buffers.release();
  reserve(64);
  expect(group()).not.toBe(grown);
  expect(group()).toBe(group());

  const [before, afterGrowth, afterRelease] = bound();
  expect(bound()).toHaveLength(3);
  expect(before.map(({ buffer }) => buffer)).toEqual(old);
  expect(afterGrowth[0].buffer).toBe(old[0]);
  expect(afterGrowth[1].buffer).not.toBe(old[1]);
  expect(afterRelease.map(({ buffer }) => buffer)).toEqual([narrow, wide].map((slot) => buffers.bufferOf(slot)));
});

it('makes none anew if another buffer than those of the step grows', async () => {
  const step = await compiled(gpu.none, narrow);
  const first = step.dispatch(0, buffers.bufferOf).bindGroup;
  const { bufferOf } = buffers;
  buffers.reserve([{ slot: wide, units: 1000 }]);
  expect(buffers.bufferOf).not.toBe(bufferOf);
  expect(step.dispatch(0, buffers.bufferOf).bindGroup).toBe(first);
  expect(bound()).toHaveLength(1);
});

it('binds the part of a buffer that the sizes name, and keeps what it bound before', async () => {
  const step = await compiled(part, narrow);
  const group = (row: number) => step.dispatch(row, buffers.bufferOf).bindGroup;
  const groups = [group(0), group(3)];
  expect(groups[0]).not.toBe(groups[1]);
  expect(group(0)).toBe(groups[0]);
  expect(group(3)).toBe(groups[1]);
  expect(bound().map(([{ offset, size }]) => [offset, size])).toEqual([
    [0, 256],
    [768, 256],
  ]);
});

it('takes the buffers of whatever the function finds', async () => {
  const step = await compiled(narrow, wide);
  const others = new SlotBuffers(memory);
  others.reserve([narrow, wide].map((slot) => ({ slot, units: 8 })));
  const [a, b] = [buffers, others].map(({ bufferOf }) => step.dispatch(0, bufferOf).bindGroup);
  expect(a).not.toBe(b);
  expect(bound()[1].map(({ buffer }) => buffer)).toEqual([narrow, wide].map((slot) => others.bufferOf(slot)));
  expect(step.dispatch(0, buffers.bufferOf).bindGroup).toBe(a);
});
