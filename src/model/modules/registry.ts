import type { Pooling } from '../../api/calls';
import { readDense } from './dense';
import type { Module, ReadModule } from './module';
import { readNormalize } from './normalize';
import { readPooling } from './pooling';

/** The modules that can be computed, by their class. */
export const MODULES = new Map<string, ReadModule>([
  ['Pooling', readPooling],
  ['Dense', readDense],
  ['Normalize', readNormalize],
]);

/** Numbers of an embedding after the modules, with these poolings in place of the checkpoint's own. */
export const embeddingColumns = (modules: Module[], hidden_size: number, poolings: Pooling[] = []): number =>
  modules.reduce(
    (columns, module) => (module.kind === 'Pooling' ? columns * poolings.length : module.columns(columns)),
    hidden_size,
  );
