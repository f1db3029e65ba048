/** What a GLiNER checkpoint is: a part of the worker, which passes on what its call needs. */
import type { Head } from '../heads/head';
import type { Tensors } from '../tensors';
import { type EncoderConfig, type GlinerConfig, readGlinerConfig } from './config';
import { glinerLabels, glinerScores, paddedLabels, scoresPerLabel } from './heads';
import { declareGliner, type GlinerParts, labelStride, type Reads } from './parts';

/** One of its encoders, with the head around it. */
export interface GlinerEncoder {
  /** What stands before the encoder's tensors in the file. */
  prefix: string;
  /** Declares the tensors of the head, by their names in the file. */
  declare(tensors: Tensors): GlinerParts;
  /** The head to compile at load. */
  usual: Head;
}

export interface GlinerCheckpoint {
  config: GlinerConfig;
  /** The encoder that reads texts. */
  encoder: EncoderConfig;
  text: GlinerEncoder;
  /** The encoder that reads labels, if it is another: its config, its head and the folder of its tokenizer. */
  labels: { encoder: EncoderConfig; head: GlinerEncoder; tokenizer: string } | undefined;
  heads: typeof HEADS;
}

/** What the call asks for. */
const HEADS = { glinerLabels, glinerScores, paddedLabels, scoresPerLabel, labelStride };
export type GlinerHeads = typeof HEADS;

const LAYER = 'token_rep_layer';

/** `json`: of gliner_config.json. Throws what readGlinerConfig throws. */
export async function glinerCheckpoint(json: unknown): Promise<GlinerCheckpoint> {
  const { encoder, labelsEncoder, config } = await readGlinerConfig(json);
  const part = (name: string, reads: Reads, usual: Head): GlinerEncoder => ({
    prefix: `${LAYER}.${name}.model.`,
    declare: (tensors) => declareGliner(config, reads, tensors),
    usual,
  });
  return {
    config,
    encoder,
    text: part('bert_layer', labelsEncoder ? 'text' : 'both', glinerScores(paddedLabels(1))),
    labels: labelsEncoder && {
      encoder: labelsEncoder,
      head: part('labels_encoder', 'labels', glinerLabels),
      tokenizer: 'labels_tokenizer',
    },
    heads: HEADS,
  };
}
