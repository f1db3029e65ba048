// What is under Details, loaded when it is opened.
import { find } from '../dom';
import { fileSize } from '../numbers';
import { startCompare } from './compare-panel';
import html from './details.html?raw';
import { startSuite } from './suite-panel';

/** Fills the part and wires it. Without an adapter nothing runs. */
export function startDetails(place: HTMLElement, adapter: GPUAdapter | undefined, isSoftware: boolean): void {
  place.innerHTML = html;
  find(place, '#limits').textContent = adapter ? limitsOf(adapter) : 'There is no GPU to measure.';
  for (const id of ['#run', '#compare-run']) find<HTMLButtonElement>(place, id).disabled = !adapter;
  startSuite(find(place, '#suite'), isSoftware);
  startCompare(find(place, '#compare'));
}

function limitsOf({ features, limits }: GPUAdapter): string {
  const names = ['shader-f16', 'subgroups', 'timestamp-query'].filter((name) => features.has(name));
  const { maxBufferSize, maxStorageBufferBindingSize, maxComputeWorkgroupStorageSize } = limits;
  return [
    `Features: ${names.join(', ') || 'none of those that matter here'}.`,
    `A buffer holds at most ${fileSize(maxBufferSize)}, a kernel sees ${fileSize(maxStorageBufferBindingSize)} of it; a workgroup has ${fileSize(maxComputeWorkgroupStorageSize)}.`,
  ].join(' ');
}
