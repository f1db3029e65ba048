import { expect, it } from 'vitest';
import { counting } from './counting';
import type { Gpu } from './device';
import type { Dispatch } from './kernel';
import { type Profile, profileOf } from './profile';
import { Submission } from './submission';

const profile = profileOf({ vendor: '', architecture: '', device: '', description: '' }, undefined);

/** A submission to a device that computes nothing, and how many dispatches each submit so far has had, by compute pass. */
function recorded(own: Partial<Profile> = {}) {
  const gpu = counting({ profile: { ...profile, ...own } } as Gpu);
  const submits: number[][] = [];
  let passes: number[] = [];
  const commands = gpu.device.createCommandEncoder();
  const begin = commands.beginComputePass;
  commands.beginComputePass = () => {
    passes.push(0);
    return begin();
  };
  const pass = begin();
  pass.dispatchWorkgroups = () => void passes[passes.length - 1]++;
  gpu.device.queue.submit = () => {
    submits.push(passes);
    passes = [];
  };
  const job = new Submission(gpu);
  const dispatch = (times: number, flops = 0) => {
    for (let i = 0; i < times; i++) job.dispatch({ kernel: {}, workgroups: [1], flops } as unknown as Dispatch);
  };
  const read = () => job.read(gpu.device.createBuffer({ size: 16, usage: 0 }), 16);
  return { job, submits, dispatch, read };
}

it('submits a long pass in parts, each twice as long as the one before, and the rest when something is read', async () => {
  const { submits, dispatch, read, job } = recorded();
  dispatch(31);
  expect(submits).toEqual([]);
  dispatch(1);
  expect(submits).toEqual([[32]]);
  dispatch(125);
  expect(submits).toEqual([[32], [64]]);
  await read();
  expect(submits).toEqual([[32], [64], [61]]);
  expect(job.dispatches).toBe(157);
});

it('submits a short pass once', async () => {
  const { submits, dispatch, read } = recorded();
  dispatch(20);
  await read();
  expect(submits).toEqual([[20]]);
});

it('submits nothing twice if a part ends where something is read', async () => {
  const { submits, dispatch, read } = recorded();
  dispatch(32);
  await read();
  await read();
  expect(submits).toEqual([[32]]);
});

it('never submits much more than flopsPerSubmit at once', async () => {
  const { submits, dispatch, read } = recorded({ flopsPerSubmit: 100 });
  dispatch(10, 30);
  await read();
  expect(submits).toEqual([[4], [4], [2]]);
});

it('begins another compute pass after a copy', async () => {
  const { job, submits, dispatch, read } = recorded();
  dispatch(2);
  job.copy({} as GPUBuffer, 0, {} as GPUBuffer, 0, 4);
  dispatch(3);
  await read();
  expect(submits).toEqual([[2, 3]]);
});
