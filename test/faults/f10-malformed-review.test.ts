import { Agent, request } from 'undici';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { Stage } from '../../tools/demo/stage.js';
import { scratchFolder } from '../../tools/servers.js';
import { fault } from '../support/fault.js';
import { createPod } from '../support/stage.js';

describe('what arrives is no AdmissionReview', () => {
  let stage: Stage;
  const anyCertificate = new Agent({ connect: { rejectUnauthorized: false } });
  beforeAll(async () => {
    stage = await Stage.open({ dir: scratchFolder('f10') });
  });
  afterAll(async () => {
    await anyCertificate.close();
    await stage?.close();
  });

  fault('F10', 'it is answered with status 400, and the process goes on', async ({ chance }) => {
    const { webhookUrl, pid } = stage.kuik.running;
    const nonsense = ['', '{', 'null', '[]', '"text"', '{}', '{"request":{}}', '{"request":{"uid":7}}', '\0\0\0', '{"request":'.repeat(500)];
    for (let sent = 0; sent < 200; sent += 1) {
      const body = chance.next() < 0.5 ? (nonsense[chance.between(0, nonsense.length - 1)] ?? '') : String.fromCharCode(...Array.from({ length: chance.between(1, 400) }, () => chance.between(0, 0xffff)));
      const answer = await request(`${webhookUrl}/mutate--v1-pod`, { method: 'POST', body, headers: { 'content-type': 'application/json' }, dispatcher: anyCertificate });
      await answer.body.dump();
      expect(answer.statusCode).toBe(400);
    }

    expect(await createPod(stage, 'after', stage.image())).toMatchObject({ image: stage.image() });
    expect(stage.kuik.running.pid).toBe(pid);
  });
});
