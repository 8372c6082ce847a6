{{- define "chart.runner" -}}
image: {{ .Values.image }}
env:
  {{- if .Values.dind }}
  - name: DOCKER_HOST
    value: unix:///var/run/docker.sock
  {{- end }}
volumeMounts:
  - name: dind-sock
    mountPath: /var/run
{{- end }}
