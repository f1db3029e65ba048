/** Whether vectors are compared on the GPU, and what it finds. Its answers are those of the CPU, or none. */
import type { WebGPU } from '../api/types';
import { nextTask } from '../turns';
import type { GpuRows } from './gpu-rows';
import { nearest } from './nearest';
import { type Bounds, spansOf } from './spans';
import { BLOCK, type Row, type VectorTable } from './vector-table';

/** Rows from which on the GPU is asked: below, the CPU takes about as long as an answer of the GPU is on its way. */
export const FROM_ROWS = 10_000;
/** Blocks that a search may copy first; with more, the CPU answers meanwhile. */
const FEW = 8;
/** Blocks that are copied at a time, before the page gets its turn. */
const COPIED = 4;
/** Rows that CPU and GPU must agree about. */
const CHECKED = 10;
/** Losses of the device after which it is left alone. */
const LOSSES = 3;

/** `gpu`: undefined: the page's, unless it is software; false: none. */
export class GpuScan {
  private rows: GpuRows | undefined;
  private preparing: Promise<void> | undefined;
  private isOff: boolean;
  /** Whether this device's answer to one search was the CPU's. */
  private isChecked = false;
  private losses = 0;
  /** The last one; what waits for a lost device gets one error. */
  private fault: unknown;

  constructor(
    private readonly vectors: VectorTable,
    private readonly gpu: WebGPU | false | undefined,
  ) {
    this.isOff = gpu === false || vectors.precision === 'binary' || !(gpu ?? globalThis.navigator?.gpu);
  }

  /** Whether the next search runs on the GPU. */
  get isReady(): boolean {
    return this.isWanted && this.rows !== undefined && !this.preparing && this.vectors.changed.size <= FEW;
  }

  private get isWanted(): boolean {
    return !this.isOff && this.vectors.count >= FROM_ROWS;
  }

  /** Copies the vectors to the GPU in the background, if there are enough of them. Never rejects. */
  prepare(): Promise<void> {
    if (!this.isWanted || this.isReady) return Promise.resolve();
    this.preparing ??= this.tried(() => this.copyAll()).then(() => {
      this.preparing = undefined;
    });
    return this.preparing;
  }

  /** What the GPU knows of each group of rows; undefined if the CPU must answer alone. */
  async bounds(query: Row, allowed: Uint8Array | undefined): Promise<Bounds | undefined> {
    const { vectors, rows } = this;
    if (!this.isReady || !rows) {
      void this.prepare();
      return undefined;
    }
    const { revision } = vectors;
    const bounds = await this.tried(async () => {
      await rows.copy(FEW);
      return rows.bounds(query, allowed);
    });
    if (!bounds) void this.prepare();
    // Rows may have moved meanwhile.
    if (!bounds || vectors.revision !== revision || !this.isWanted) return undefined;
    if (!this.isChecked) {
      const spans = spansOf(bounds, CHECKED, vectors.count);
      const [found, best] = [spans, undefined].map((among) => nearest(query, vectors, CHECKED, allowed, among));
      if (JSON.stringify(found) !== JSON.stringify(best)) this.close();
      // An answer that leaves nothing out, such as to a filter without hits, says nothing of the GPU.
      else this.isChecked = !spans.some(({ from, to }) => to - from === vectors.count);
    }
    return this.isChecked ? bounds : undefined;
  }

  /** Frees the GPU's memory; the CPU answers from then on. */
  close(): void {
    this.isOff = true;
    this.drop();
  }

  private drop(): void {
    this.rows?.dispose();
    this.rows = undefined;
    this.isChecked = false;
  }

  private async copyAll(): Promise<void> {
    const { vectors } = this;
    if (!this.rows) {
      const rows = await this.open();
      this.isOff ||= rows === undefined;
      // Closed meanwhile, or there is none.
      if (this.isOff) return rows?.dispose();
      this.rows = rows;
      for (let block = 0; block * BLOCK < vectors.count; block++) vectors.changed.add(block);
    }
    while (this.rows && vectors.changed.size > 0) {
      await this.rows.copy(COPIED);
      await nextTask();
    }
  }

  /** undefined if there is only software. */
  private async open(): Promise<GpuRows | undefined> {
    const { GpuRows, openSearchGpu } = await import('./gpu-rows');
    const opened = await openSearchGpu((this.gpu || navigator.gpu) as GPU, Boolean(this.gpu));
    if (!opened) return undefined;
    return GpuRows.open(opened, this.vectors).catch((error: unknown) => {
      opened.device.destroy();
      throw error;
    });
  }

  /** undefined if the GPU fails: a lost device is opened again, any other fault is for good. */
  private async tried<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (error === this.fault) return undefined; // of a device that was left already
      this.fault = error;
      const isLost = (error as Error)?.name === 'DeviceLostError';
      if (!isLost || ++this.losses === LOSSES) this.isOff = true;
      this.drop();
      return undefined;
    }
  }
}
