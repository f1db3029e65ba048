/**
 * A forward pass as data: a step says which kernel runs on which buffers, before either exists. Making steps needs no GPU, so tests can
 * inspect them; compile.ts compiles them, and the runtime supplies the buffers.
 */
import type { KernelSpec, Workgroups } from '../gpu/kernel';
import type { AttentionSizes, AttentionSpec } from './attention';
import type { GemmSpec } from './gemm-spec';

/** The unit that a buffer's size is counted in: tokens of the pass, attention tiles, RoPE positions, rows of a head's chunk, u32 words, the model. */
export type Unit = 'token' | 'tile' | 'position' | 'row' | 'word' | 'model';

/** A named buffer of activations. Slots with the same label share one buffer, sized for the largest of them. */
export interface Slot {
  label: string;
  per: Unit;
  /** Bytes per unit. */
  bytes: number;
  /** For a table computed on the CPU when its buffer is created: its contents for this many units. */
  contents?(units: number): Float32Array<ArrayBuffer>;
}

/** Part of a buffer, in bytes. */
export interface Part<S> {
  of: GPUBuffer | Slot;
  range(sizes: S): { offset: number; size: number };
}

/** What to bind to a kernel's binding; undefined if this variant of the kernel does not read it. */
export type Operand<S> = GPUBuffer | Slot | Part<S> | undefined;

interface Common<S> {
  /** Name in reports. */
  label: string;
  /** By the names of the bindings in the WGSL source. */
  buffers: Record<string, Operand<S>>;
  /** Useful floating-point operations, for reports. */
  flops?(sizes: S): number;
}

export interface KernelStep<S> extends Common<S> {
  kernel: KernelSpec;
  workgroups(sizes: S): Workgroups;
  /** All floating-point operations, including those on padding. */
  issuedFlops?(sizes: S): number;
}

/** A matrix product: its kernel depends on the device's plan for the GEMM and on the number of rows. */
export interface GemmStep<S> extends Common<S> {
  gemm: GemmSpec;
  rows(sizes: S): number;
}

/** Attention: its kernel depends on the device's plan for it and on the tokens of the pass, whose work list is made by the same plan. */
export interface AttentionStep<S> extends Common<S> {
  attention: AttentionSpec;
  sizesOf(sizes: S): AttentionSizes;
}

/** One dispatch. S: the sizes that determine its workgroups and buffer ranges; they change from pass to pass. */
export type Step<S> = KernelStep<S> | GemmStep<S> | AttentionStep<S>;

/** The slots among a step's operands. */
export const slotsOf = <S>({ buffers }: Step<S>): Slot[] =>
  Object.values(buffers).flatMap((operand) => {
    const buffer = operand && 'of' in operand ? operand.of : operand;
    return buffer && 'per' in buffer ? [buffer] : [];
  });
