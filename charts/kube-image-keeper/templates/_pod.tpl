{{/*
A Pod of ours: (dict "root" $ "pod" .Values.manager "component" "manager" "account" "..." "args" (list ...) "ports" (list ...)
"volumes" (list ...) "mounts" (list ...) "grace" 60). Restricted Pod security; what a user sets wins, field by field.
*/}}
{{- define "kuik.podTemplate" -}}
{{- $root := .root -}}
{{- $pod := .pod -}}
metadata:
  labels:
    {{- include "kuik.selectorLabels" (list $root .component) | nindent 4 }}
  annotations:
    checksum/configuration: {{ include "kuik.configuration" $root | sha256sum }}
    {{- with $pod.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ .account }}
  {{- with $pod.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $pod.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  securityContext:
    {{- include "kuik.podSecurity" (list $pod.podSecurityContext 65532) | nindent 4 }}
  terminationGracePeriodSeconds: {{ .grace }}
  containers:
    - name: {{ .component }}
      image: {{ include "kuik.image" (list $root $root.Values.manager.image) | quote }}
      imagePullPolicy: {{ $root.Values.manager.image.pullPolicy }}
      args:
        {{- toYaml .args | nindent 8 }}
      env:
        {{- $written := list }}
        {{- range $pod.env }}{{- $written = append $written .name }}{{- end }}
        - name: POD_NAMESPACE
          valueFrom: { fieldRef: { fieldPath: metadata.namespace } }
        - name: KUIK_FULL_NAME
          value: {{ include "kuik.fullname" $root | quote }}
        {{- range .env }}
        - {{ toYaml . | nindent 10 | trim }}
        {{- end }}
        {{- if and $pod.resources.limits $pod.resources.limits.memory (not (has "NODE_OPTIONS" $written)) }}
        - name: NODE_OPTIONS
          value: --max-old-space-size={{ include "kuik.heapMebibytes" $pod.resources.limits.memory }}
        {{- end }}
        {{- with $pod.env }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      ports:
        {{- toYaml .ports | nindent 8 }}
      {{- with $pod.startupProbe }}
      startupProbe:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $pod.readinessProbe }}
      readinessProbe:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $pod.livenessProbe }}
      livenessProbe:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $pod.resources }}
      resources:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      securityContext:
        {{- include "kuik.containerSecurity" $pod.securityContext | nindent 8 }}
      volumeMounts:
        - { name: configuration, mountPath: /etc/kube-image-keeper, readOnly: true }
        - { name: tmp, mountPath: /tmp }
        {{- range .mounts }}
        - {{ toYaml . | nindent 10 | trim }}
        {{- end }}
        {{- with $pod.extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
  volumes:
    - name: configuration
      configMap: { name: {{ include "kuik.fullname" $root }}-manager-config }
    - name: tmp
      emptyDir: { sizeLimit: 64Mi }
    {{- range .volumes }}
    - {{ toYaml . | nindent 6 | trim }}
    {{- end }}
    {{- with $pod.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- include "kuik.scheduling" (list $root $pod .component) | nindent 2 }}
{{- end -}}

{{/* Where Pods of a part go: (list $ .Values.manager "manager"). Spread over nodes and zones unless a user says otherwise. */}}
{{- define "kuik.scheduling" -}}
{{- $root := index . 0 -}}
{{- $pod := index . 1 -}}
nodeSelector:
  kubernetes.io/os: linux
  {{- range $key, $value := omit $pod.nodeSelector "kubernetes.io/os" }}
  {{ $key }}: {{ $value | quote }}
  {{- end }}
{{- with $pod.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $pod.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
topologySpreadConstraints:
{{- if $pod.topologySpreadConstraints }}
  {{- toYaml $pod.topologySpreadConstraints | nindent 2 }}
{{- else }}
  {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "kuik.selectorLabels" (list $root (index $ 2)) | nindent 8 }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* The Pod's half of the restricted profile: (list .Values.manager.podSecurityContext 65532). */}}
{{- define "kuik.podSecurity" -}}
{{- $id := last . -}}
{{- $context := dict "runAsNonRoot" true "runAsUser" $id "runAsGroup" $id "fsGroup" $id "seccompProfile" (dict "type" "RuntimeDefault") -}}
{{- range $key, $value := first . }}{{- $_ := set $context $key $value -}}{{- end -}}
{{- toYaml $context -}}
{{- end -}}

{{- define "kuik.containerSecurity" -}}
{{- $context := dict "allowPrivilegeEscalation" false "readOnlyRootFilesystem" true "capabilities" (dict "drop" (list "ALL")) -}}
{{- range $key, $value := . }}{{- $_ := set $context $key $value -}}{{- end -}}
{{- toYaml $context -}}
{{- end -}}

{{/* A Pod that runs one command of the command line to its end: (dict "root" $ "component" "check" "account" "..." "args" (list ...)). It never waits for us: it is left alone by the webhook. */}}
{{- define "kuik.onePod" -}}
{{- $root := .root -}}
{{- $manager := $root.Values.manager -}}
metadata:
  labels:
    {{- include "kuik.selectorLabels" (list $root .component) | nindent 4 }}
    kuik.enix.io/ignore: "true"
spec:
  serviceAccountName: {{ .account }}
  restartPolicy: Never
  {{- with $manager.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  securityContext:
    {{- include "kuik.podSecurity" (list $manager.podSecurityContext 65532) | nindent 4 }}
  containers:
    - name: {{ .component }}
      image: {{ include "kuik.image" (list $root $manager.image) | quote }}
      imagePullPolicy: {{ $manager.image.pullPolicy }}
      args:
        {{- toYaml .args | nindent 8 }}
      env:
        - name: POD_NAMESPACE
          valueFrom: { fieldRef: { fieldPath: metadata.namespace } }
        - name: KUIK_FULL_NAME
          value: {{ include "kuik.fullname" $root | quote }}
      resources:
        requests: { cpu: 50m, memory: 64Mi }
        limits: { memory: 256Mi }
      securityContext:
        {{- include "kuik.containerSecurity" $manager.securityContext | nindent 8 }}
  nodeSelector:
    kubernetes.io/os: linux
    {{- range $key, $value := omit $manager.nodeSelector "kubernetes.io/os" }}
    {{ $key }}: {{ $value | quote }}
    {{- end }}
  {{- with $manager.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}
