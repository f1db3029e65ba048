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
  it('reads what GLiNER saves', async () => {
    const { config, encoder, labelsEncoder } = await readGlinerConfig(uni);
    expect(config).toMatchObject({ span_mode: 'markerV0', max_width: 4, max_len: 32, num_rnn_layers: 1 });
    expect(encoder.json.model_type).toBe('modernbert');
    expect(labelsEncoder).toBeUndefined();
    expect((await readGlinerConfig(saved('uni-token'))).config).toMatchObject({
      span_mode: 'token',
      num_rnn_layers: 2,
    });
    expect(await readGlinerConfig(bi)).toMatchObject({
      labelsEncoder: { json: { hidden_size: 16 } },
      config: { num_rnn_layers: 0, encoder_size: 24, labels_size: 16 },
    });
  });

  it('has defaults of its own, and reads has_rnn of older files', async () => {
    const { num_rnn_layers: _, max_width: __, span_mode: ___, ...older } = uni;
    expect((await readGlinerConfig(older)).config).toMatchObject({
      num_rnn_layers: 1,
      max_width: 12,
      span_mode: 'markerV0',
    });
    expect((await readGlinerConfig({ ...older, has_rnn: false })).config.num_rnn_layers).toBe(0);
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
  ])('refuses %s = %j by name', async (key, value, message) => {
    await expect(readGlinerConfig({ ...uni, [key]: value })).rejects.toThrow(UnsupportedModelError);
    await expect(readGlinerConfig({ ...uni, [key]: value })).rejects.toThrow(message);
  });

  it.each([
    ['encoder_config', undefined, /encoder_config is missing: GLiNER would take the config of "text" from the Hub/],
    ['class_token_index', -1, /class_token_index must be a positive integer/],
    ['num_rnn_layers', 1.5, /num_rnn_layers must be an integer from 0 to 16, it is 1.5/],
    ['max_len', 0, /max_len must be a positive integer/],
    ['embed_ent_token', 'yes', /embed_ent_token must be true or false/],
  ])('refuses a broken %s', async (key, value, message) => {
    await expect(readGlinerConfig({ ...uni, [key]: value })).rejects.toThrow(ModelFileError);
    await expect(readGlinerConfig({ ...uni, [key]: value })).rejects.toThrow(message);
  });

  it('names the encoder of labels that is none of those it knows', async () => {
    const bge = { ...bi, labels_encoder: 'BAAI/bge-small-en-v1.5', labels_encoder_config: { model_type: 'bert2' } };
    await expect(readGlinerConfig(bge)).rejects.toThrow(UnsupportedModelError);
    await expect(readGlinerConfig(bge)).rejects.toThrow(
      /\(labels_encoder_config\): model_type = "bert2".*reads its labels with an encoder of their own, "BAAI\/bge-small-en-v1.5"\./,
    );
    await expect(readGlinerConfig({ ...bi, post_fusion_schema: 'l2l-l2t' })).rejects.toThrow(
      /post_fusion_schema = "l2l-l2t"/,
    );
    await expect(readGlinerConfig({ ...uni, post_fusion_schema: 'l2l-l2t' })).resolves.toBeDefined(); // GLiNER reads it only there
  });

  it('finds the encoders where GLiNER puts them', async () => {
    expect(await glinerCheckpoint(uni)).toMatchObject({ text: { prefix: 'token_rep_layer.bert_layer.model.' } });
    expect((await glinerCheckpoint(uni)).labels).toBeUndefined();
    expect((await glinerCheckpoint(bi)).labels!.head.prefix).toBe('token_rep_layer.labels_encoder.model.');
  });
});
