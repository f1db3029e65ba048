/** The worker's code as a text, in the built library (tools/library.mjs puts it here); from the sources it is the worker's file. */
export { startWorker as inlineWorker } from './start-worker';
