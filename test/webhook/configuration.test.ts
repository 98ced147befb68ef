import { expect, test } from '@jest/globals';
import { webhookConfiguration } from '../../src/webhook/configuration.js';

test('the registration spares Pods: failed calls are ignored, and none takes longer than three seconds', () => {
  const configuration = webhookConfiguration({ name: 'kuik', client: { url: 'https://127.0.0.1:9443/mutate--v1-pod' } }, 'PEM');

  expect(configuration).toEqual({ name: 'kuik', client: { url: 'https://127.0.0.1:9443/mutate--v1-pod' }, caBundle: 'PEM', failurePolicy: 'Ignore', timeoutSeconds: 3, write: 'whole' });
});
