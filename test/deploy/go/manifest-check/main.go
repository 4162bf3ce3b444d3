// manifest-check reads manifests from stdin as the kube-apiserver takes them: strictly decoded (an unknown field or a wrong
// type is an error), with defaults, and then validated by the kube-apiserver's own code. Of a PodMonitor, which is none of
// its kinds, only the types are checked. Prints a line for each problem, and ends with 1 if there is one.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/kubernetes/pkg/apis/apps"
	appsinstall "k8s.io/kubernetes/pkg/apis/apps/install"
	appsvalidation "k8s.io/kubernetes/pkg/apis/apps/validation"
	"k8s.io/kubernetes/pkg/apis/core"
	coreinstall "k8s.io/kubernetes/pkg/apis/core/install"
	corevalidation "k8s.io/kubernetes/pkg/apis/core/validation"
)

func main() {
	scheme := runtime.NewScheme()
	coreinstall.Install(scheme)
	appsinstall.Install(scheme)
	if err := monitoring.AddToScheme(scheme); err != nil {
		panic(err)
	}
	decoder := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()
	documents := yaml.NewYAMLReader(bufio.NewReader(os.Stdin))
	count, failed := 0, false
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		problems := []error{err}
		kind := &schema.GroupVersionKind{}
		if err == nil {
			kind, problems = check(scheme, decoder, document)
		}
		count++
		for _, problem := range problems {
			fmt.Printf("%s %s\n", kind.Kind, problem)
			failed = true
		}
		if err != nil {
			break
		}
	}
	if count == 0 {
		fmt.Println("no manifest was given")
	}
	if failed || count == 0 {
		os.Exit(1)
	}
}

func check(scheme *runtime.Scheme, decoder runtime.Decoder, document []byte) (*schema.GroupVersionKind, []error) {
	object, kind, err := decoder.Decode(document, nil, nil)
	if kind == nil {
		kind = &schema.GroupVersionKind{}
	}
	if err != nil {
		return kind, []error{err}
	}
	if _, ok := object.(*monitoring.PodMonitor); ok {
		return kind, nil
	}
	scheme.Default(object)
	internal, err := scheme.ConvertToVersion(object, runtime.InternalGroupVersioner)
	if err != nil {
		return kind, []error{err}
	}
	var found field.ErrorList
	switch internal := internal.(type) {
	case *core.Namespace:
		found = corevalidation.ValidateNamespace(internal)
	case *core.ConfigMap:
		found = corevalidation.ValidateConfigMap(internal)
	case *apps.DaemonSet:
		found = appsvalidation.ValidateDaemonSet(internal, corevalidation.PodValidationOptions{})
	default:
		return kind, []error{errors.New("is of a kind that is not validated here")}
	}
	problems := make([]error, 0, len(found))
	for _, problem := range found {
		problems = append(problems, problem)
	}
	return kind, problems
}
