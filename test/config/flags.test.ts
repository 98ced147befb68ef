import { describe, expect, test } from '@jest/globals';
import { parseFlags, type Flags } from '../../src/config/flags.js';

function flagsOf(...args: string[]): Flags {
  const { flags, problems } = parseFlags(args);
  if (flags === undefined) throw new Error(problems.join('\n'));
  return flags;
}

describe('flags', () => {
  test('without any, everything has its default', () => {
    expect(flagsOf()).toMatchObject({
      configPath: '/etc/kube-image-keeper/config.yaml',
      metricsBindAddress: '0',
      metricsSecure: true,
      metricsCertificate: { folder: '', certificate: 'tls.crt', key: 'tls.key' },
      healthProbeBindAddress: ':8081',
      webhookCertificate: { folder: '', certificate: 'tls.crt', key: 'tls.key' },
      http2: false,
      logLevel: 'info',
      logEncoder: 'json',
      logTimes: 'epoch',
    });
  });

  test.each([
    ['one dash and a blank', ['-config', '/a.yaml']],
    ['two dashes and a blank', ['--config', '/a.yaml']],
    ['one dash and =', ['-config=/a.yaml']],
    ['two dashes and =', ['--config=/a.yaml']],
    ['twice: the last one wins', ['-config=/b.yaml', '--config', '/a.yaml']],
  ])('a text: %s', (_sentence, args) => {
    expect(flagsOf(...args).configPath).toBe('/a.yaml');
  });

  test('a value may hold = and may be empty', () => {
    expect(flagsOf('-kubeconfig=/a=b').kubeconfig).toBe('/a=b');
    expect(flagsOf('-webhook-cert-path=').webhookCertificate.folder).toBe('');
  });

  test.each([
    [['-enable-http2'], true],
    [['--enable-http2=true'], true],
    [['-enable-http2=1'], true],
    [['-enable-http2=T'], true],
    [['-enable-http2', '-enable-http2=FALSE'], false],
    [['-enable-http2=0'], false],
  ])('a switch: %j is %p', (args, expected) => {
    expect(flagsOf(...args).http2).toBe(expected);
  });

  test('a switch takes no value after a blank', () => {
    expect(parseFlags(['-enable-http2', 'false']).problems).toEqual(['unexpected argument "false": flags start with one or two dashes']);
  });

  test.each([
    ['debug', 'debug'],
    ['INFO', 'info'],
    ['Warn', 'warn'],
    ['error', 'error'],
    ['0', 'info'],
    ['1', 'debug'],
    ['5', 'debug'],
  ])('-zap-log-level=%s logs from %s on', (written, level) => {
    expect(flagsOf(`-zap-log-level=${written}`).logLevel).toBe(level);
  });

  test.each([
    [['-zap-devel'], 'debug', 'console'],
    [['-zap-devel', '-zap-log-level=error', '-zap-encoder=json'], 'error', 'json'],
    [['-zap-encoder=Console'], 'info', 'console'],
  ])('%j logs from %s on, as %s', (args, logLevel, logEncoder) => {
    expect(flagsOf(...args)).toMatchObject({ logLevel, logEncoder });
  });

  test('flags of v2 that have no effect are accepted', () => {
    expect(parseFlags(['-leader-elect', '-zap-stacktrace-level=panic']).problems).toBeUndefined();
  });

  test('every problem is named at once', () => {
    expect(parseFlags(['-colour=red', 'manager', '-zap-log-level=loud', '-metrics-secure=maybe', '-zap-encoder=xml', '-config']).problems).toEqual([
      expect.stringMatching(/^unknown flag -colour; known are config, kubeconfig,/),
      'unexpected argument "manager": flags start with one or two dashes',
      'flag -zap-log-level is "loud": write debug, info, warn, error or a number',
      'flag -metrics-secure is "maybe": write true or false',
      'flag -zap-encoder is "xml": write one of json, console',
      'flag -config: needs a value',
    ]);
  });

  test.each([
    ['-metrics-bind-address=8080', 'flag -metrics-bind-address is "8080": write host:port, :port, or 0 for off'],
    ['-health-probe-bind-address=:70000', 'flag -health-probe-bind-address is ":70000": write host:port, :port, or 0 for off'],
    ['-webhook-bind-address=0', 'flag -webhook-bind-address is "0": write host:port, :port'],
  ])('%s is no address, and stops the start before anything runs', (arg, problem) => {
    expect(parseFlags([arg]).problems).toEqual([problem]);
  });

  test('metrics are served over HTTPS, unless plain HTTP is asked for', () => {
    expect(flagsOf('-metrics-bind-address=[::1]:8443')).toMatchObject({ metricsBindAddress: '[::1]:8443', metricsSecure: true });
    expect(flagsOf('-metrics-bind-address=[::1]:8080', '-metrics-secure=false').metricsSecure).toBe(false);
  });

  test.each([['-metrics-bind-address=0'], ['-webhook-bind-address=:9443'], ['-health-probe-bind-address=127.0.0.1:0']])('%s is an address', (arg) => {
    expect(parseFlags([arg]).problems).toBeUndefined();
  });

  test.each([['-'], ['--'], ['---config=x'], ['-=x'], ['-constructor']])('%s is no flag', (arg) => {
    expect(parseFlags([arg]).problems).toHaveLength(1);
  });
});
