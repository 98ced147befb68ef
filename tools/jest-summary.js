/** Ends a run with one plain line, `12 passed, 0 failed, 1 skipped`, for whoever counts tests by machine. */
export default class JestSummary {
  onRunComplete(_contexts, results) {
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites; // a file that cannot even be loaded is a failure
    const skipped = results.numPendingTests + results.numTodoTests;
    process.once('exit', () => console.log(`${results.numPassedTests} passed, ${failed} failed, ${skipped} skipped`)); // after jest's own summary
  }
}
