import { createModelPicker, type ModelPicker, type PickerOptions } from './models/model-picker';
import { createModelStore } from './models/model-store';
import type { TabState } from './tab-state';

/** What a tab gets from the page. */
export interface App {
  /** A model picker in `place`; tabs that choose the same source and dtype share one loaded model. Its choice is in `state`. */
  picker(place: HTMLElement, options: PickerOptions): ModelPicker;
  /** This tab's part of the URL. */
  state: TabState;
}

/** The module of a tab, `demo/<tab>/main.ts`, loaded when the tab is first opened. */
export interface TabModule {
  /** May resolve when it is done with what it loads at once. */
  start(panel: HTMLElement, app: App): void | Promise<void>;
}

/** Gives every tab its App: one store of models for all. */
export function createApps(): (state: TabState) => App {
  const store = createModelStore();
  return (state) => ({ state, picker: (place, options) => createModelPicker(place, store, state, options) });
}
