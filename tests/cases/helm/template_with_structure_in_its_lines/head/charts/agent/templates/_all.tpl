{{/* two of them */}}
{{- define "one" -}}
volumeMounts:
  - name: engine
    mountPath: /engine
{{- end -}}
{{- define "two" -}}
volumes:
  - name: engine {{- if .Values.docker }}
    hostPath:
      path: {{ if .Values.other }}/tmp/a{{ else }}/var/run/docker.sock{{ end }} {{- /* usual */}}
  {{ else }}
    emptyDir: {} {{ end }}
{{- end -}}
