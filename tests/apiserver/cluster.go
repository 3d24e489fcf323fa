package main

import (
	"context"
	"fmt"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	rbacv1ac "k8s.io/client-go/applyconfigurations/rbac/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// The namespaces that every cluster has; shopUser has rights in the first only.
const (
	shopNamespace = "shop"
	labNamespace  = "lab"
)

// vmGroups are the API groups in which shopUser may do everything.
var vmGroups = []string{
	"kubevirt.io",
	"subresources.kubevirt.io",
	"cdi.kubevirt.io",
	"snapshot.kubevirt.io",
	"snapshot.storage.k8s.io",
	"pool.kubevirt.io",
	"instancetype.kubevirt.io",
	"virt.virtink.smartx.com",
}

// newClient returns an API client that uses the given kubeconfig.
func newClient(kubeconfig string) (*kubernetes.Clientset, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	config.QPS = -1 // no throttling
	config.Timeout = 10 * time.Second
	return kubernetes.NewForConfig(config)
}

// awaitReady waits until /readyz of the API server says ok.
func awaitReady(ctx context.Context, client kubernetes.Interface) error {
	return poll(ctx, func() error {
		return client.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).Error()
	})
}

// populate makes the namespaces and the rights of shopUser, or restores them,
// and waits until these rights hold.
func populate(ctx context.Context, client kubernetes.Interface) error {
	force := metav1.ApplyOptions{FieldManager: "apiserver-for-tests", Force: true}
	for _, name := range []string{shopNamespace, labNamespace} {
		if _, err := client.CoreV1().Namespaces().Apply(ctx, corev1ac.Namespace(name), force); err != nil {
			return err
		}
	}

	rbac := client.RbacV1()
	role := rbacv1ac.Role("vm-operator", shopNamespace).WithRules(
		rbacv1ac.PolicyRule().WithVerbs(rbacv1.VerbAll).WithAPIGroups(vmGroups...).WithResources(rbacv1.ResourceAll))
	if _, err := rbac.Roles(shopNamespace).Apply(ctx, role, force); err != nil {
		return err
	}
	for _, reference := range []*rbacv1ac.RoleRefApplyConfiguration{
		rbacv1ac.RoleRef().WithKind("Role").WithName("vm-operator"),
		rbacv1ac.RoleRef().WithKind("ClusterRole").WithName("admin"),
	} {
		binding := rbacv1ac.RoleBinding(shopUser+"-"+*reference.Name, shopNamespace).
			WithRoleRef(reference.WithAPIGroup(rbacv1.GroupName)).
			WithSubjects(rbacv1ac.Subject().WithAPIGroup(rbacv1.GroupName).WithKind(rbacv1.UserKind).WithName(shopUser))
		if _, err := rbac.RoleBindings(shopNamespace).Apply(ctx, binding, force); err != nil {
			return err
		}
	}

	// On a new cluster the ClusterRole admin is empty until the controller
	// manager has put it together from its parts.
	for _, resource := range []authorizationv1.ResourceAttributes{
		{Namespace: shopNamespace, Verb: "delete", Resource: "pods"},
		{Namespace: shopNamespace, Verb: "delete", Resource: "virtualmachines", Group: "kubevirt.io"},
	} {
		review := &authorizationv1.SubjectAccessReview{
			Spec: authorizationv1.SubjectAccessReviewSpec{User: shopUser, ResourceAttributes: &resource},
		}
		err := poll(ctx, func() error {
			answer, err := client.AuthorizationV1().SubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
			if err == nil && !answer.Status.Allowed {
				err = fmt.Errorf("%s may not %s %s", shopUser, resource.Verb, resource.Resource)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// poll calls try every 50 ms until it succeeds, for two minutes at most.
func poll(ctx context.Context, try func() error) error {
	timeout := time.After(2 * time.Minute)
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-timeout:
			return fmt.Errorf("not ready in time: %w", err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
