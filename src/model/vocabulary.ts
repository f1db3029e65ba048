/** The table of a vocabulary and the masked language model's head that computes logits by it, of the architectures beside ModernBERT. */
import { decoderOf, type HeadLayer, type TaskHead } from './task-head';
import type { Table, Tensors } from './tensors';

interface VocabularyConfig {
  vocab_size: number;
  hidden_size: number;
  tie_word_embeddings: boolean;
}

/** What the decoders of these architectures are called. */
const DECODERS = ['cls.predictions.decoder', 'lm_head.decoder', 'vocab_projector', 'generator_lm_head', 'lm_head'];

/** The table of the vocabulary, by this name. Of a tied one, a file may have the decoder's name instead. */
export function wordTable(c: VocabularyConfig, t: Tensors, name: string, width: number): Table {
  const decoder = DECODERS.map((each) => `${each}.weight`).find(t.has);
  const isTied = c.tie_word_embeddings && !t.has(name);
  return t.table((isTied && decoder) || name, [c.vocab_size, width]);
}

/**
 * The table of a decoder [vocab_size, hidden]: the embeddings', if the file has no other (tied), or has that under the decoder's name. If it has
 * both, transformers uses the decoder's, tied or not.
 */
export function ownDecoder(
  { vocab_size, hidden_size }: VocabularyConfig,
  t: Tensors,
  decoder: string,
  table: Table,
): Table {
  const name = `${decoder}.weight`;
  return t.has(name) && !t.places.has(name) ? t.table(name, [vocab_size, hidden_size]) : table;
}

/** A masked language model's head: its layers, then the logits of the vocabulary with a bias, which either name may have. */
export function vocabularyHead(
  c: VocabularyConfig,
  t: Tensors,
  table: Table,
  layers: HeadLayer[],
  { decoder, bias }: { decoder: string; bias: string },
): TaskHead {
  const spelled = t.has(`${decoder}.bias`) ? `${decoder}.bias` : bias;
  return { layers, output: decoderOf(ownDecoder(c, t, decoder, table), t.vector(spelled, c.vocab_size), c.vocab_size) };
}
