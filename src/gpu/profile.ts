/**
 * Everything that is chosen by device, in one value. `openGpu` makes it, from what the adapter is and has, and the self-check may strike designs
 * off it. Kernels, runtime and session read it, and ask nothing else about the device but its limits and features.
 */
import { wrongChoice } from '../api/errors';
import type { ProfileName } from '../api/types';

/**
 * How matrix products are computed. `tuned`: by the tiles measured to be the fastest, matrix units among them, once they are known; `workgroup`: by tiles in workgroup
 * memory, inner loops unrolled; `subgroup`: without barriers, for software adapters; `plain`: as `workgroup`, with loops as they are written.
 */
export type GemmChoice = 'tuned' | 'workgroup' | 'subgroup' | 'plain';

/** How attention is computed: as for matrix products, `workgroup` also by measured tiles once they are known. */
export type AttentionChoice = 'workgroup' | 'subgroup' | 'plain';

export interface Profile {
  name: ProfileName;
  /** Best first, safest last. The first is used; the self-check drops it if it computes something wrong on this device. */
  gemm: GemmChoice[];
  attention: AttentionChoice[];
  /** Most steps of an inner loop to write out. */
  unroll: number;
  /** Most tokens in a pass unless the caller or the device's limits say otherwise: enough to fill a large GPU. */
  tokensPerPass: number;
  /**
   * Larger work is submitted in parts, so that no single command buffer occupies a slow GPU for seconds: drivers and browsers reset a GPU that
   * does not respond. ModernBERT-base takes 0.12 TFLOP for 512 tokens and 3.5 TFLOP for 8192.
   */
  flopsPerSubmit: number;
}

/** What the caller asks for instead of what suits the adapter. */
export type AskedProfile = Partial<Pick<Profile, 'name' | 'unroll'>>;

/** What identifies an adapter. Firefox leaves all names empty. */
export interface AdapterInfo {
  vendor: string;
  architecture: string;
  device: string;
  description: string;
  /** Whether it is a software adapter; Chrome has it from version 136 on. */
  isFallbackAdapter?: boolean;
}

export const PROFILES: ProfileName[] = ['card', 'minimal', 'software'];

/** Optional features that the kernels can use. The last is Chromium's, behind a flag. */
const FEATURES = ['shader-f16', 'subgroups', 'timestamp-query', 'chromium-experimental-subgroup-matrix'];
const LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
] as const;

/** Subgroup sizes that the designs without barriers support. */
export const SUBGROUP_SIZES = [4, 8, 16];

/** SwiftShader, llvmpipe and WARP: long, unrolled shaders compile slowly there and run no faster, and barriers are expensive. */
export const isSoftware = ({ architecture, device, description, isFallbackAdapter }: AdapterInfo): boolean =>
  isFallbackAdapter || /swiftshader|llvmpipe|basic render/i.test(`${architecture} ${device} ${description}`);

/** What to ask an adapter for: all that the kernels can use, or for `minimal` nothing beyond what every device has. */
export function deviceDescriptor(adapter: GPUAdapter, asked: AskedProfile): GPUDeviceDescriptor {
  if (asked.name === 'minimal') return {};
  return {
    requiredFeatures: (FEATURES as GPUFeatureName[]).filter((name) => adapter.features.has(name)),
    requiredLimits: Object.fromEntries(LIMITS.map((name) => [name, adapter.limits[name]])),
  };
}

/**
 * The profile of a device. `subgroupSize`: threads per subgroup, if they are all of one size. Throws a RangeError for an unknown name.
 */
export function profileOf(info: AdapterInfo, subgroupSize: number | undefined, asked: AskedProfile = {}): Profile {
  const { name = isSoftware(info) ? 'software' : 'card', unroll = 16 } = asked;
  if (!PROFILES.includes(name)) throw wrongChoice('profile', ['auto', ...PROFILES], name);
  const shared = { name, unroll, tokensPerPass: 8192, flopsPerSubmit: 3e11 };
  if (name !== 'software') {
    return { ...shared, gemm: ['tuned', 'workgroup', 'plain'], attention: ['workgroup', 'plain'] };
  }
  // SwiftShader saves the state of every thread at every barrier, so fewer threads and barriers are faster.
  if (SUBGROUP_SIZES.includes(subgroupSize ?? 0)) {
    return { ...shared, gemm: ['subgroup', 'plain'], attention: ['subgroup', 'plain'] };
  }
  return { ...shared, gemm: ['plain'], attention: ['plain'] };
}

/** A choice of the profile: a design, or a way to choose one. */
export type Choice = GemmChoice | AttentionChoice;

/** How matrix products are computed that are not measured. */
export const untuned = ({ gemm }: Profile): Exclude<GemmChoice, 'tuned'> | undefined =>
  gemm.find((choice) => choice !== 'tuned');

/** The profile without a choice that is wrong on this device; undefined if nothing safer is left. */
export function without(profile: Profile, kind: 'gemm' | 'attention', choice: Choice): Profile | undefined {
  const left = { ...profile, [kind]: profile[kind].filter((other) => other !== choice) };
  return untuned(left) && left.attention.length > 0 ? left : undefined;
}

/** The profile with measured tiles for matrix products or without them, as the caller chose. */
export const withTuning = (profile: Profile, autotune: boolean | undefined): Profile => {
  if (autotune === undefined) return profile;
  const others = profile.gemm.filter((choice) => choice !== 'tuned');
  return { ...profile, gemm: autotune ? ['tuned', ...others] : others };
};
