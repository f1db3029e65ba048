/**
 * A forward pass as data: a step says which kernel runs on which buffers, before either exists. Steps are made without a GPU (tests read
 * them as they are); compile.ts compiles them, and the runtime gives them buffers.
 */
import type { KernelSpec, Workgroups } from '../gpu/kernel';
import type { GemmSpec } from './gemm-spec';

/** What the size of a buffer is a multiple of: tokens of the pass, attention tiles, RoPE positions, rows of a head's chunk, u32 words. */
export type Unit = 'token' | 'tile' | 'position' | 'row' | 'word';

/** A buffer of activations, by name. Slots of one label share a buffer, which is as large as the largest of them. */
export interface Slot {
  label: string;
  per: Unit;
  /** Bytes per unit. */
  bytes: number;
  /** Of a table that is computed on the CPU when its buffer is made: what it holds for so many units. */
  contents?(units: number): Float32Array<ArrayBuffer>;
}

/** Part of a buffer, in bytes. */
export interface Part<S> {
  of: GPUBuffer | Slot;
  range(sizes: S): { offset: number; size: number };
}

/** What a binding of a kernel is given; undefined where this variant of the kernel does not read it. */
export type Operand<S> = GPUBuffer | Slot | Part<S> | undefined;

interface Common<S> {
  /** What reports call it. */
  label: string;
  /** By the names that the WGSL source gives its bindings. */
  buffers: Record<string, Operand<S>>;
  /** Useful floating-point operations, for reports. */
  flops?(sizes: S): number;
}

export interface KernelStep<S> extends Common<S> {
  kernel: KernelSpec;
  workgroups(sizes: S): Workgroups;
  /** All floating-point operations, those on padding included. */
  issuedFlops?(sizes: S): number;
}

/** A matrix product: its kernel depends on the device's plan for the shape, and on the number of rows. */
export interface GemmStep<S> extends Common<S> {
  gemm: GemmSpec;
  rows(sizes: S): number;
}

/** One dispatch. S: the sizes that its workgroups and buffer ranges follow from, which change from pass to pass. */
export type Step<S> = KernelStep<S> | GemmStep<S>;

/** The slots that a step names. */
export const slotsOf = <S>({ buffers }: Step<S>): Slot[] =>
  Object.values(buffers).flatMap((operand) => {
    const buffer = operand && 'of' in operand ? operand.of : operand;
    return buffer && 'per' in buffer ? [buffer] : [];
  });
