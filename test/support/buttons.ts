/** What a person does to a run in the Temporal UI, beside what the client has a method for. */
import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';

/** The button *Reset*, to the first workflow task; nothing when the run has not had any. @param runId the newest run unless told */
export async function reset({ client, workflowId }: WorkflowHandle, runId?: string): Promise<void> {
  const pressed = runId ?? (await client.getHandle(workflowId).describe()).runId;
  const { events } = await client.getHandle(workflowId, pressed).fetchHistory();
  const first = events?.find(({ workflowTaskCompletedEventAttributes }) => workflowTaskCompletedEventAttributes)?.eventId;
  if (first === undefined || first === null) return;
  await client.workflowService.resetWorkflowExecution({
    namespace: client.options.namespace,
    workflowExecution: { workflowId, runId: pressed },
    reason: 'a person pressed Reset',
    workflowTaskFinishEventId: first,
    requestId: randomUUID(),
  });
}

/** *Start Workflow Like This One* begins with the input of the newest run. */
export async function inputOf<T>(handle: WorkflowHandle): Promise<T> {
  const { events } = await handle.fetchHistory();
  const payload = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0]?.data;
  if (payload === undefined || payload === null) throw new Error(`${handle.workflowId} began with no input`);
  return JSON.parse(Buffer.from(payload).toString()) as T;
}
