{{/* A binding of a process's account: (dict "root" $ "kind" "RoleBinding" "role" "ClusterRole" "name" "..." "namespace" "..." "accounts" (list ...) "component" "manager"). */}}
{{- define "kuik.binding" -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ .kind }}
metadata:
  name: {{ .name }}
  {{- with .namespace }}
  namespace: {{ . }}
  {{- end }}
  labels:
    {{- include "kuik.labels" (list .root .component) | nindent 4 }}
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: {{ .role }}, name: {{ .name }} }
subjects:
  {{- range .accounts }}
  - { kind: ServiceAccount, name: {{ . }}, namespace: {{ $.root.Release.Namespace }} }
  {{- end }}
{{- end -}}

{{/* Secrets are reached by name alone: never listed, never watched. */}}
{{- define "kuik.secretRule" -}}
- { apiGroups: [""], resources: [secrets], verbs: [get, create, patch, delete] }
{{- end -}}

{{/* Who reads metrics over HTTPS: the API server is asked about their token. */}}
{{- define "kuik.metricsRules" -}}
{{- if .Values.metrics.secure }}
- { apiGroups: [authentication.k8s.io], resources: [tokenreviews], verbs: [create] }
- { apiGroups: [authorization.k8s.io], resources: [subjectaccessreviews], verbs: [create] }
{{- end }}
{{- end -}}
