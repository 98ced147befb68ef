{{/* Names. v2's, so that a chart swap meets its own objects; cut so that the longest suffix still makes a legal Service. */}}
{{- define "kuik.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 47 | trimSuffix "-" -}}
{{- end -}}

{{- define "kuik.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 47 | trimSuffix "-" -}}
{{- else if contains (include "kuik.name" .) .Release.Name -}}
{{- .Release.Name | trunc 47 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "kuik.name" .) | trunc 47 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Labels of a part: (list $ "manager"). */}}
{{- define "kuik.selectorLabels" -}}
{{- $root := first . -}}
app.kubernetes.io/name: {{ include "kuik.name" $root }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ last . }}
{{- end -}}

{{- define "kuik.labels" -}}
{{- $root := first . -}}
{{ include "kuik.selectorLabels" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
app.kubernetes.io/part-of: kube-image-keeper
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* An image: (list $ .Values.manager.image). `global.imageRegistry` takes the place of its host. */}}
{{- define "kuik.image" -}}
{{- $root := first . -}}
{{- $image := last . -}}
{{- $repository := $image.repository -}}
{{- with $root.Values.global.imageRegistry -}}
{{- $repository = printf "%s/%s" (trimSuffix "/" .) (regexReplaceAll "^([^/]*[.:][^/]*|localhost)/" $repository "") -}}
{{- end -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $repository $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $repository (toString (default $root.Chart.AppVersion $image.tag)) -}}
{{- end -}}
{{- end -}}

{{- define "kuik.managerAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (printf "%s-manager" (include "kuik.fullname" .)) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* In one process there is one account. */}}
{{- define "kuik.webhookAccount" -}}
{{- if .Values.singleProcess -}}
{{- include "kuik.managerAccount" . -}}
{{- else if .Values.webhook.serviceAccount.create -}}
{{- default (printf "%s-webhook" (include "kuik.fullname" .)) .Values.webhook.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.webhook.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* `createCertificateIssuer: false` was v2's way to bring one's own issuer. */}}
{{- define "kuik.certificateMode" -}}
{{- if and (eq .Values.certificates.mode "self") (not .Values.manager.webhook.createCertificateIssuer) -}}
certManager
{{- else -}}
{{- .Values.certificates.mode -}}
{{- end -}}
{{- end -}}

{{- define "kuik.certificateSecret" -}}
{{- if eq (include "kuik.certificateMode" .) "provided" -}}
{{- .Values.certificates.provided.secretName -}}
{{- else -}}
{{- include "kuik.fullname" . }}-webhook-server-cert
{{- end -}}
{{- end -}}

{{/* Which Pods carry the webhook. */}}
{{- define "kuik.webhookComponent" -}}
{{- ternary "manager" "webhook" .Values.singleProcess -}}
{{- end -}}

{{/* Where Temporal answers. */}}
{{- define "kuik.temporalAddress" -}}
{{- if eq .Values.temporal.mode "external" -}}
{{- .Values.temporal.external.address -}}
{{- else -}}
{{- printf "%s-temporal.%s.svc:7233" (include "kuik.fullname" .) .Release.Namespace -}}
{{- end -}}
{{- end -}}

{{- define "kuik.databaseSecret" -}}
{{- default (printf "%s-postgresql" (include "kuik.fullname" .)) .Values.temporal.database.existingSecret -}}
{{- end -}}

{{/* Whether the database is ours. */}}
{{- define "kuik.ownDatabase" -}}
{{- if and (eq .Values.temporal.mode "bundled") (not .Values.temporal.database.host) -}}true{{- end -}}
{{- end -}}

{{/*
The file of `configuration`, with what the chart knows of Temporal beneath: what a user writes wins.
*/}}
{{- define "kuik.configuration" -}}
{{- $known := dict "address" (include "kuik.temporalAddress" .) "namespace" .Values.temporal.namespace "shared" .Values.temporal.shared "servesWorkflows" .Values.temporal.servesWorkflows -}}
{{- if eq .Values.temporal.mode "external" -}}
{{- $external := .Values.temporal.external -}}
{{- if $external.tls.secretName -}}
{{- $files := dict -}}
{{- range $field, $file := dict "caFile" "ca.crt" "certFile" "tls.crt" "keyFile" "tls.key" -}}
{{- if has $file $external.tls.files -}}{{- $_ := set $files $field (printf "/etc/kube-image-keeper-temporal/tls/%s" $file) -}}{{- end -}}
{{- end -}}
{{- with $external.tls.serverName -}}{{- $_ := set $files "serverName" . -}}{{- end -}}
{{- $_ := set $known "tls" $files -}}
{{- end -}}
{{- if $external.apiKey.secretName -}}
{{- $_ := set $known "apiKeyFile" (printf "/etc/kube-image-keeper-temporal/api-key/%s" $external.apiKey.key) -}}
{{- end -}}
{{- end -}}
{{- $written := deepCopy .Values.configuration -}}
{{- range $key, $value := (default dict $written.temporal) -}}{{- $_ := set $known $key $value -}}{{- end -}}
{{- set $written "temporal" $known | toYaml -}}
{{- end -}}

{{/* 5/8 of a memory limit in MiB, for V8's heap: buffers, code and the native side of Temporal take the rest. Node alone would go by the memory of the node. */}}
{{- define "kuik.heapMebibytes" -}}
{{- $quantity := ternary (toString .) (toString (int64 .)) (kindIs "string" .) -}}
{{- $units := dict "" 1.0 "k" 1000.0 "K" 1000.0 "Ki" 1024.0 "M" 1000000.0 "Mi" 1048576.0 "G" 1000000000.0 "Gi" 1073741824.0 "T" 1000000000000.0 "Ti" 1099511627776.0 -}}
{{- $factor := get $units (regexFind "[A-Za-z]*$" $quantity) -}}
{{- if not $factor -}}{{- fail (printf "resources.limits.memory: %s is no quantity; write one such as 512Mi" $quantity) -}}{{- end -}}
{{- divf (mulf (float64 (regexFind "^[0-9.]+" $quantity)) $factor 0.625) 1048576.0 | floor | int -}}
{{- end -}}

{{/* Where names are looked up: a cluster has no one selector for its DNS either. */}}
{{- define "kuik.dnsPorts" -}}
- { port: 53, protocol: UDP }
- { port: 53, protocol: TCP }
{{- end -}}
