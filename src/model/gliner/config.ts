/** GLiNER's gliner_config.json (the library gliner, config.py): an encoder, or one for texts and one for labels, and a head around them. */
import { ModelFileError, UnsupportedModelError } from '../../api/errors';
import { GLINER_CONFIG } from '../../formats/checkpoint';
import { fieldsOf, isObject, type Json, type JsonFields } from '../../formats/json-fields';
import { MAX_LSTM_HIDDEN } from '../../kernels/lstm';
import { MOST_WIDTH, type ModelConfig } from '../config';
import { readModelConfig } from '../families/registry';
import type { Family } from '../family';

export interface GlinerConfig {
  /** `token`: start, end and inside of an entity are scored word by word. Else the spans of up to `max_width` words, by the layer so named. */
  span_mode: 'markerV0' | 'marker' | 'token';
  hidden_size: number;
  max_width: number;
  /** Words of a text. */
  max_len: number;
  /** How the tokens of a word become one vector. */
  subtoken_pooling: 'first' | 'last' | 'mean' | 'max';
  /** Layers of the LSTM over the words. */
  num_rnn_layers: number;
  ent_token: string;
  sep_token: string;
  class_token_index: number;
  /** Whether a label's vector is that of ent_token, instead of that of the token after it. */
  embed_ent_token: boolean;
  /** Widths of the encoders; the labels' only if they have an encoder of their own. */
  encoder_size: number;
  labels_size: number | undefined;
}

/** An encoder's config as transformers writes it, and as its family reads it. */
export interface EncoderConfig {
  json: Json;
  family: Family;
  config: ModelConfig;
}

/** The encoders' configs, and the head's. */
export interface GlinerFile {
  encoder: EncoderConfig;
  labelsEncoder: EncoderConfig | undefined;
  config: GlinerConfig;
}

const TYPES = ['uni_encoder_span', 'uni_encoder_token', 'bi_encoder_span', 'bi_encoder_token'];

/** Throws a ModelFileError for values that make no sense, an UnsupportedModelError for what cannot be computed. */
export async function readGlinerConfig(json: unknown): Promise<GlinerFile> {
  const fields = fieldsOf(GLINER_CONFIG, json);
  const { integer, boolean, oneOf, has } = fields;
  checkUnsupported(fields);
  const encoder = await encoderOf(fields, 'encoder_config', fields.text('model_name'));
  const isBi = has('labels_encoder');
  const labels = isBi ? await encoderOf(fields, 'labels_encoder_config', fields.text('labels_encoder')) : undefined;
  const mode = oneOf('span_mode', ['markerV0', 'marker', 'token_level'], 'markerV0');
  const hidden_size = integer('hidden_size', 512, MOST_WIDTH);
  // Bi-encoders have an LSTM in their files that their forward pass leaves out.
  const num_rnn_layers = isBi ? 0 : layersOf(fields);
  if (num_rnn_layers > 0 && (hidden_size % 2 !== 0 || hidden_size > 2 * MAX_LSTM_HIDDEN)) {
    throw fields.unsupported('hidden_size', `with an LSTM it must be even and at most ${2 * MAX_LSTM_HIDDEN}`);
  }
  if (isBi && fields.text('post_fusion_schema')) {
    throw fields.unsupported('post_fusion_schema', 'only bi-encoders whose labels do not attend to the text are');
  }
  return {
    encoder,
    labelsEncoder: labels,
    config: {
      span_mode: mode === 'token_level' ? 'token' : mode,
      hidden_size,
      max_width: integer('max_width', 12, 1000),
      max_len: integer('max_len', 384),
      subtoken_pooling: oneOf('subtoken_pooling', ['first', 'last', 'mean', 'max'], 'first'),
      num_rnn_layers,
      ent_token: fields.text('ent_token') ?? '<<ENT>>',
      sep_token: fields.text('sep_token') ?? '<<SEP>>',
      class_token_index: isBi ? -1 : integer('class_token_index'),
      embed_ent_token: boolean('embed_ent_token', true),
      encoder_size: encoder.config.hidden_size,
      labels_size: labels?.config.hidden_size,
    },
  };
}

/** What makes a model compute something else. */
function checkUnsupported(fields: JsonFields): void {
  const { json, boolean, has, unsupported, text } = fields;
  const type = text('model_type')?.replace(/^gliner_?/, '') ?? '';
  if (!['', 'base', 'uni_encoder', 'bi_encoder', ...TYPES].includes(type)) {
    throw unsupported('model_type', `known are ${TYPES.map((name) => `gliner_${name}`).join(', ')}`);
  }
  for (const key of ['labels_decoder', 'relations_layer', 'span_encoder_config']) {
    if (has(key)) throw unsupported(key, 'only models that find entities, without it, are');
  }
  for (const key of ['fuse_layers', 'represent_spans', 'precomputed_prompts_mode']) {
    if (boolean(key, false)) throw unsupported(key, 'only false is');
  }
  const splitter = json.words_splitter_type ?? 'whitespace';
  if (splitter !== 'whitespace') throw unsupported('words_splitter_type', "only 'whitespace' is");
}

/** An encoder's config, with GLiNER's default of its type. */
async function encoderOf(
  { json, text, wrong }: JsonFields,
  key: string,
  name: string | undefined,
): Promise<EncoderConfig> {
  const own = json[key] ?? undefined;
  if (own === undefined) {
    throw new ModelFileError(
      `${GLINER_CONFIG}: ${key} is missing: GLiNER would take the config of ${JSON.stringify(name?.slice(0, 100))} from the Hub. Load the model with GLiNER and save it again.`,
    );
  }
  if (!isObject(own)) throw wrong(key, 'an object');
  const config = { model_type: 'deberta-v2', ...own };
  try {
    return { json: config, ...(await readModelConfig(config, `${GLINER_CONFIG} (${key})`)) };
  } catch (cause) {
    if (!(cause instanceof UnsupportedModelError) || key === 'encoder_config') throw cause;
    const what = `This GLiNER model reads its labels with an encoder of their own, ${JSON.stringify(text('labels_encoder')?.slice(0, 100))}.`;
    throw new UnsupportedModelError(`${cause.message} ${what}`, { cause });
  }
}

/** num_rnn_layers, which may be 0; older files say has_rnn. */
function layersOf({ json, number, wrong }: JsonFields): number {
  const layers = number('num_rnn_layers', json.has_rnn === false ? 0 : 1);
  if (Number.isInteger(layers) && layers >= 0 && layers <= 16) return layers;
  throw wrong('num_rnn_layers', 'an integer from 0 to 16');
}
