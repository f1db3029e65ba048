import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ModelFileError, UnsupportedModelError } from '../../api/errors';
import { readGlinerConfig } from './config';
import { glinerCheckpoint } from './gliner';

const saved = (name: string) =>
  JSON.parse(
    readFileSync(new URL(`../../reference/fixtures/gliner-${name}/gliner_config.json`, import.meta.url), 'utf8'),
  );
const [uni, bi] = [saved('uni-span'), saved('bi-span')];

describe('readGlinerConfig', () => {
  it('reads what GLiNER saves', () => {
    const { config, encoder, labelsEncoder } = readGlinerConfig(uni);
    expect(config).toMatchObject({ span_mode: 'markerV0', max_width: 4, max_len: 32, num_rnn_layers: 1 });
    expect(encoder.model_type).toBe('modernbert');
    expect(labelsEncoder).toBeUndefined();
    expect(readGlinerConfig(saved('uni-token')).config).toMatchObject({ span_mode: 'token', num_rnn_layers: 2 });
    expect(readGlinerConfig(bi)).toMatchObject({
      labelsEncoder: { hidden_size: 16 },
      config: { num_rnn_layers: 0, encoder_size: 24, labels_size: 16 },
    });
  });

  it('has defaults of its own, and reads has_rnn of older files', () => {
    const { num_rnn_layers: _, max_width: __, span_mode: ___, ...older } = uni;
    expect(readGlinerConfig(older).config).toMatchObject({ num_rnn_layers: 1, max_width: 12, span_mode: 'markerV0' });
    expect(readGlinerConfig({ ...older, has_rnn: false }).config.num_rnn_layers).toBe(0);
  });

  it.each([
    ['span_mode', 'conv_conv', /span_mode = "conv_conv" is not supported; known are markerV0, marker, token_level/],
    ['model_type', 'gliner_streaming_span', /model_type = "gliner_streaming_span"/],
    ['labels_decoder', 'gpt2', /labels_decoder = "gpt2"/],
    ['relations_layer', 'dot', /relations_layer = "dot"/],
    ['span_encoder_config', { model_type: 'rnn' }, /span_encoder_config/],
    ['fuse_layers', true, /fuse_layers = true is not supported; only false is/],
    ['represent_spans', true, /represent_spans/],
    ['precomputed_prompts_mode', true, /precomputed_prompts_mode/],
    ['words_splitter_type', 'spacy', /words_splitter_type = "spacy" is not supported; only 'whitespace' is/],
    ['subtoken_pooling', 'median', /subtoken_pooling = "median"/],
    ['hidden_size', 25, /hidden_size = 25 is not supported; with an LSTM it must be even/],
    ['encoder_config', { hidden_size: 8 }, /gliner_config.json \(encoder_config\): model_type = "deberta-v2"/],
  ])('refuses %s = %j by name', (key, value, message) => {
    expect(() => readGlinerConfig({ ...uni, [key]: value })).toThrow(UnsupportedModelError);
    expect(() => readGlinerConfig({ ...uni, [key]: value })).toThrow(message);
  });

  it.each([
    ['encoder_config', undefined, /encoder_config is missing: GLiNER would take the config of "text" from the Hub/],
    ['class_token_index', -1, /class_token_index must be a positive integer/],
    ['num_rnn_layers', 1.5, /num_rnn_layers must be an integer from 0 to 16, it is 1.5/],
    ['max_len', 0, /max_len must be a positive integer/],
    ['embed_ent_token', 'yes', /embed_ent_token must be true or false/],
  ])('refuses a broken %s', (key, value, message) => {
    expect(() => readGlinerConfig({ ...uni, [key]: value })).toThrow(ModelFileError);
    expect(() => readGlinerConfig({ ...uni, [key]: value })).toThrow(message);
  });

  it('names the encoder of labels that is none of those it knows', () => {
    const bge = { ...bi, labels_encoder: 'BAAI/bge-small-en-v1.5', labels_encoder_config: { model_type: 'bert2' } };
    expect(() => readGlinerConfig(bge)).toThrow(UnsupportedModelError);
    expect(() => readGlinerConfig(bge)).toThrow(
      /\(labels_encoder_config\): model_type = "bert2".*reads its labels with an encoder of their own, "BAAI\/bge-small-en-v1.5"\./,
    );
    expect(() => readGlinerConfig({ ...bi, post_fusion_schema: 'l2l-l2t' })).toThrow(/post_fusion_schema = "l2l-l2t"/);
    expect(() => readGlinerConfig({ ...uni, post_fusion_schema: 'l2l-l2t' })).not.toThrow(); // GLiNER reads it only there
  });

  it('finds the encoders where GLiNER puts them', () => {
    expect(glinerCheckpoint(uni)).toMatchObject({ text: { prefix: 'token_rep_layer.bert_layer.model.' } });
    expect(glinerCheckpoint(uni).labels).toBeUndefined();
    expect(glinerCheckpoint(bi).labels!.head.prefix).toBe('token_rep_layer.labels_encoder.model.');
  });
});
