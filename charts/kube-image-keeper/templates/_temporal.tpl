{{/* What a part of Temporal shares: (dict "root" $ "component" "temporal" "settings" .Values.temporal.server "user" 1000). The images know their user's number, which the restricted profile wants to see written. */}}
{{- define "kuik.temporalPod" -}}
{{- $root := .root -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with $root.Values.manager.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .settings.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
securityContext:
  {{- include "kuik.podSecurity" (list .settings.podSecurityContext .user) | nindent 2 }}
{{ include "kuik.scheduling" (list $root .settings .component) }}
{{- end -}}

{{/* How to reach the database, as the environment of temporal-sql-tool. */}}
{{- define "kuik.databaseEnvironment" -}}
{{- $database := .Values.temporal.database -}}
- { name: SQL_PLUGIN, value: postgres12_pgx }
- { name: SQL_HOST, value: {{ default (printf "%s-postgresql" (include "kuik.fullname" .)) $database.host }} }
- { name: SQL_PORT, value: {{ $database.port | quote }} }
- { name: SQL_USER, value: {{ $database.user }} }
- name: SQL_PASSWORD
  valueFrom: { secretKeyRef: { name: {{ include "kuik.databaseSecret" . }}, key: {{ $database.passwordKey }} } }
{{- if $database.tls.enabled }}
- { name: SQL_TLS, value: "true" }
{{- with $database.tls.serverName }}
- { name: SQL_TLS_SERVER_NAME, value: {{ . }} }
{{- end }}
{{- if $database.tls.caSecret }}
- { name: SQL_TLS_CA_FILE, value: /etc/temporal/database/ca.crt }
{{- else }}
- { name: SQL_TLS_DISABLE_HOST_VERIFICATION, value: "true" }
{{- end }}
{{- end }}
{{- end -}}

{{/* A store of the server: (list $ "temporal" 20). */}}
{{- define "kuik.store" -}}
{{- $database := (index . 0).Values.temporal.database -}}
sql:
  pluginName: postgres12_pgx
  databaseName: {{ index . 1 }}
  connectAddr: {{ printf "%s:%v" (default (printf "%s-postgresql" (include "kuik.fullname" (index . 0))) $database.host) $database.port | quote }}
  connectProtocol: tcp
  user: {{ $database.user }}
  password: {{ "{{" }} env "SQL_PASSWORD" | quote {{ "}}" }}
  maxConns: {{ index . 2 }}
  maxIdleConns: {{ index . 2 }}
  maxConnLifetime: 1h
  {{- if $database.tls.enabled }}
  tls:
    enabled: true
    {{- with $database.tls.serverName }}
    serverName: {{ . }}
    {{- end }}
    {{- if $database.tls.caSecret }}
    caFile: /etc/temporal/database/ca.crt
    enableHostVerification: true
    {{- end }}
  {{- end }}
{{- end -}}

{{/* The volume of a StatefulSet. The API server adds the defaults of a claim and the template can never change, so they are written out. */}}
{{- define "kuik.dataVolume" -}}
volumeClaimTemplates:
  - apiVersion: v1
    kind: PersistentVolumeClaim
    metadata: { name: data }
    spec:
      accessModes: [ReadWriteOnce]
      {{- with .storageClassName }}
      storageClassName: {{ . }}
      {{- end }}
      resources: { requests: { storage: {{ .size }} } }
      volumeMode: Filesystem
{{- end -}}
