/**
 * Small inputs for every kind of kernel, and what it must compute from them: one function per kind, which reads the sizes that the kernel was
 * compiled for.
 */
import type { KernelSpec } from '../gpu/kernel';
import { attentionProbes } from './attention-probes';
import { ENCODER_PROBES } from './encoder-probes';
import { gemmProbes } from './gemm-probes';
import { GLINER_PROBES } from './gliner-probes';
import { OUTPUT_PROBES } from './output-probes';
import type { MakeProbe, Probe } from './probe-parts';
import type { Checkable } from './self-check';

const PROBES: Record<string, MakeProbe> = { ...ENCODER_PROBES, ...OUTPUT_PROBES, ...GLINER_PROBES };

/** The probes of a step's kernels. Throws a TypeError for a kind of kernel that has none. */
export function probesOf({ step, variants, plan }: Checkable['compiled']): Probe[] {
  if ('gemm' in step) return gemmProbes(step.gemm, variants);
  if ('attention' in step) return attentionProbes(step.attention, plan!);
  const { label, constants }: KernelSpec = step.kernel;
  const make = PROBES[label.split(' ')[0]];
  if (!make) throw new TypeError(`runtime/probes.ts has no probe for the kernel '${label}'.`);
  return make(constants, label);
}
