import { availableParallelism } from 'node:os';
import type { TestProjectConfiguration } from 'vitest/config';
import { defineConfig } from 'vitest/config';
import type { NodeAdapter } from './tools/adapters.mjs';
import { findNodeAdapters } from './tools/adapters.mjs';

const MINUTE = 60_000;
const gpuTests = '{src,cli}/**/*.gpu.test.ts';
const postgresTests = 'cli/**/*.postgres.test.ts';
const baseTests = ['src/**/*.base.test.ts', 'bench/**/*.base.test.ts'];

/**
 * The adapters to test on: both software drivers, or what the system has where none of them exists (macOS, Windows). A
 * driver that is missing gets a manifest that is not there, so that its tests fail instead of not running.
 */
const testAdapters = (): NodeAdapter[] => {
  const found = findNodeAdapters();
  if (found[0]?.name === 'system') {
    console.warn('No software Vulkan driver: GPU tests run on the system adapter only.');
    return found;
  }
  return (['lavapipe', 'swiftshader'] as const).map(
    (name) =>
      found.find((adapter) => adapter.name === name) ?? { name, env: { VK_ICD_FILENAMES: `${name} is not installed` } },
  );
};

const adapters = testAdapters();

/**
 * The tuner's compile every GEMM design dozens of times, at seconds each on SwiftShader, and those of quantised models and of the family's
 * twins load dozens of models (gemm.gpu.test.ts, head.gpu.test.ts and golden.gpu.test.ts run what either uses on both); the command
 * line's start processes that load models, and see nothing of the GPU, nor does the order of passes; the guide's load a model a page.
 */
const onLavapipeAlone = [
  'src/kernels/tune.gpu.test.ts',
  'src/session/autotune.gpu.test.ts',
  'src/model/quantized.gpu.test.ts',
  'src/model/family.gpu.test.ts',
  'src/runtime/runtime.gpu.test.ts',
  'cli/cli.gpu.test.ts',
  'src/guide.gpu.test.ts',
];

/**
 * Each adapter in processes of its own, as a process keeps the Vulkan drivers it saw first. One file at a time, one
 * project after the other: a software driver uses all cores.
 */
const gpuProject = ({ name, env }: NodeAdapter, order: number): TestProjectConfiguration => ({
  test: {
    name,
    include: [gpuTests],
    exclude: name === 'swiftshader' ? onLavapipeAlone : [],
    env: { ...env, GPU_ADAPTER: name },
    pool: 'forks',
    maxWorkers: 1,
    testTimeout: 2 * MINUTE,
    hookTimeout: 2 * MINUTE,
    sequence: { groupOrder: order },
  },
});

export default defineConfig({
  test: {
    globalSetup: ['tools/test-folder.mjs'],
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            'src/**/*.test.ts',
            'cli/**/*.test.ts',
            'tools/**/*.test.ts',
            'bench/**/*.test.ts',
            'demo/**/*.test.ts',
            'training/**/*.test.ts',
          ],
          exclude: [gpuTests, postgresTests, ...baseTests],
          maxWorkers: availableParallelism(),
          testTimeout: MINUTE,
        },
      },
      ...adapters.map((adapter, i) => gpuProject(adapter, 1 + i)),
      {
        test: {
          name: 'e2e',
          include: ['e2e/**/*.test.ts'],
          globalSetup: ['e2e/setup.ts'],
          pool: 'forks',
          maxWorkers: 1,
          testTimeout: 5 * MINUTE,
          hookTimeout: 5 * MINUTE,
          sequence: { groupOrder: 10 },
        },
      },
      {
        test: {
          name: 'slow-base', // slow-*: not part of `npm test`
          include: baseTests,
          env: { ...adapters[0]?.env, GPU_ADAPTER: adapters[0]?.name ?? '' },
          pool: 'forks',
          maxWorkers: 1,
          testTimeout: 60 * MINUTE,
          hookTimeout: 60 * MINUTE,
          sequence: { groupOrder: 11 },
        },
      },
      {
        test: {
          name: 'slow-postgres',
          include: [postgresTests],
          globalSetup: ['tools/postgres.mjs'],
          env: adapters[0]?.env,
          pool: 'forks',
          maxWorkers: 1,
          testTimeout: 5 * MINUTE,
          hookTimeout: 5 * MINUTE,
          sequence: { groupOrder: 12 },
        },
      },
    ],
  },
});
